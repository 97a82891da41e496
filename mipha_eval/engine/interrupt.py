"""Ctrl-C: once finishes the batch in flight, twice stops at once."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserInterruptError
from mipha_eval.core.stopping import ask_to_stop, end_brief_children, end_children
from mipha_eval.engine.progress.foreign_output import true_stderr

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

logger = logging.getLogger(__name__)

STOPPED = "stopped; the same command goes on from what is stored"
INCOMPLETE = 3  # the exit code of a command that was stopped


def stopped_from_the_first_import() -> None:
    """From here on Ctrl-C ends the program with the sentence and the exit code of every other moment.

    To be called before anything heavy is imported: Python's own handler would show where an import stood.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _end_at_once)


def ignore_interrupts() -> None:
    """What is left is the end of the program: Ctrl-C would be an error of whatever is ending there.

    Nothing where the process is somebody else's, and was not begun by `stopped_from_the_first_import`.
    """
    if signal.getsignal(signal.SIGINT) is _end_at_once:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_at_once(*_: object) -> None:
    end_children()
    with suppress(OSError):
        os.write(true_stderr(), f"{STOPPED}\n".encode())
    os._exit(INCOMPLETE)


@contextmanager
def named_interrupts() -> Iterator[None]:
    """While entered, Ctrl-C is a UserInterruptError, so that nobody's own KeyboardInterrupt is taken for it.

    A second one ends the process at once, and so does one that comes where nothing can be raised, such as in a ``__del__``:
    Python would print it and go on. What others make of one, another error, is one again.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    raised = False

    def interrupt(*_: object) -> None:
        nonlocal raised
        if raised:  # an error raised while the first is on its way would be another's
            _end_at_once()
        raised = True
        raise UserInterruptError

    def tell(lost: UnraisableHookArgs) -> None:
        if isinstance(lost.exc_value, UserInterruptError):
            _end_at_once()
        told(lost)

    told, sys.unraisablehook = sys.unraisablehook, tell
    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except Exception as error:
        if raised:
            raise UserInterruptError from error
        raise
    finally:
        signal.signal(signal.SIGINT, previous)
        sys.unraisablehook = told


class Interrupt:
    """While entered, the first SIGINT asks to stop soon; the second ends all children and raises a UserInterruptError."""

    def __init__(self) -> None:
        self._asked = False
        self._previous: Callable[[int, FrameType | None], object] | int | None = None

    def asked(self) -> bool:
        return self._asked

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            ask_to_stop(asked=False)
            self._previous = signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            end_children()
            raise UserInterruptError
        self._asked = True
        ask_to_stop()
        end_brief_children()
        logger.warning("finishing the batch; once more stops at once")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            ask_to_stop(asked=False)
