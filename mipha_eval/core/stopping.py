"""What this process ends when it is to stop, and whether it was asked to: what takes long beside the model looks here.

It is there before anything heavy is imported, and so imports next to nothing.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

from mipha_eval.core.errors import GivenUpError

if TYPE_CHECKING:
    from mipha_eval.core.children import Child

#: seconds that children have for ending before they are ended
PATIENCE = 1.0
PAUSE = 0.01

#: programs that this process started; some of them have ended
children: set[Child[Any]] = set()

_asked = False


def ask_to_stop(*, asked: bool = True) -> None:
    """Notes that Ctrl-C was pressed, or that it no longer counts."""
    global _asked  # noqa: PLW0603 - a handler of signals has nobody to hand it to
    _asked = asked


def stop_is_asked() -> bool:
    return _asked


def give_up_if_asked() -> None:
    """Raises GivenUpError once Ctrl-C was pressed."""
    if _asked:
        raise GivenUpError


def end_brief_children() -> None:
    """Ends those that are of no use to a process that is to stop soon."""
    for child in tuple(children):
        if child.brief:
            child.give_up(signal.SIGKILL)


def end_children() -> None:
    """Ends all; for where this process ends at once, in a handler of signals, too."""
    for child in tuple(children):
        child.give_up(signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while (left := [child for child in tuple(children) if child.poll() is None]) and time.monotonic() < until:
        time.sleep(PAUSE)
    for child in left:
        child.give_up(signal.SIGKILL)
