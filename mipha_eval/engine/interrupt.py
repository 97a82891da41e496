"""Ctrl-C: once finishes the batch in flight, twice stops at once."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from mipha_eval.core.errors import UserInterruptError

logger = logging.getLogger(__name__)


@contextmanager
def named_interrupts() -> Iterator[None]:
    """While entered, Ctrl-C is a UserInterruptError, so that nobody's own KeyboardInterrupt is taken for it."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    previous = signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _interrupt(*_: object) -> None:
    raise UserInterruptError


class Interrupt:
    """While entered, the first SIGINT only sets a flag; the second raises a UserInterruptError."""

    def __init__(self) -> None:
        self._asked = False
        self._previous: Callable[[int, FrameType | None], object] | int | None = None

    def asked(self) -> bool:
        return self._asked

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise UserInterruptError
        self._asked = True
        logger.warning("finishing the batch; once more stops at once")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
