"""Programs that this process starts, all in one place: a terminal's Ctrl-C reaches none of them, and none outlives it.

Whatever starts a program starts it here. A child is in a group of its own, and what it starts is in that group, too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, AnyStr

from mipha_eval.core.errors import GivenUpError
from mipha_eval.core.stopping import children, give_up_if_asked, stop_is_asked

_is_child = False


def be_a_child() -> None:
    """This process was started here itself: its children are in its group, and end with it."""
    global _is_child  # noqa: PLW0603 - it is the process that is one
    _is_child = True


class Child(subprocess.Popen[AnyStr]):
    """A program that ends with this one.

    Args:
        brief: it is of no use once this process is asked to stop soon, and is ended then.
        options: as `subprocess.Popen` takes them.

    Attributes:
        given_up: whether it was ended because this process is to stop.
    """

    def __init__(self, command: Sequence[str], *, brief: bool = False, **options: Any) -> None:
        self.brief, self.given_up, self._leads = brief, False, not _is_child
        super().__init__(command, start_new_session=self._leads, **options)
        children.difference_update([child for child in tuple(children) if child.returncode is not None])
        children.add(self)
        if brief and stop_is_asked():  # meanwhile, where this is not the main thread
            self.give_up(signal.SIGKILL)

    def end(self, number: int) -> None:
        """Sends a signal to it and to what it started."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                (os.killpg if self._leads else os.kill)(self.pid, number)

    def give_up(self, number: int) -> None:
        """The same, because this process is to stop."""
        self.given_up = self.given_up or self.returncode is None
        self.end(number)

    def check(self) -> None:
        """Raises GivenUpError if it was ended because this process is to stop."""
        if self.given_up:
            raise GivenUpError


def run_program(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Runs a program to its end, and gives what it wrote.

    Args:
        seconds: that it may take.

    Raises:
        OSError: it cannot be started.
        subprocess.TimeoutExpired: it took longer, and was ended.
        GivenUpError: Ctrl-C was pressed, and it was not started, or was ended.
    """
    give_up_if_asked()
    pipe = subprocess.PIPE
    child: Child[bytes] = Child(
        command, brief=True, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )
    with child:
        try:
            output, errors = child.communicate(timeout=seconds)
        finally:
            child.end(signal.SIGKILL)
    child.check()
    return subprocess.CompletedProcess(command, child.returncode, output, errors)
