"""Where progress is shown, if anywhere: one place for the whole process, whoever has something to show."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING

from mipha_eval.core.stage import stages
from mipha_eval.engine.progress.display import Display, View
from mipha_eval.engine.progress.lines import NotebookLine, PlainLines, print_line

if TYPE_CHECKING:
    from mipha_eval.engine.progress.progress import Progress

#: progress is no message of logging; where somebody sets this logger to WARNING, there is none
logger = logging.getLogger(__package__)

#: terminals on which nothing can be written anew
NO_ROWS = "dumb", "unknown"

#: who is told lines of progress in place of standard error
_listener: ContextVar[Callable[[str], object] | None] = ContextVar("_listener", default=None)
_open: list[Screen] = []
_opening = threading.Lock()


@contextmanager
def progress_told_to(listener: Callable[[str], object]) -> Iterator[None]:
    """While entered, lines of progress go to `listener`: in a process whose standard error nobody looks at."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def show_line(line: str) -> None:
    """A line of another process's progress on standard error, unless there is to be none."""
    if logger.level <= logging.INFO:
        print_line(line)


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[Screen | None]:
    """While entered, progress and what is under way (`core.stage`) are shown; None where they are not to be.

    Whoever enters within gets the same screen.
    """
    if quiet or logger.level > logging.INFO:
        yield None
        return
    with ExitStack() as kept:
        with _opening:
            if not _open:
                _open.append(kept.enter_context(Screen(_display())))
                kept.callback(_open.clear)
            screen = _open[-1]
        yield screen


class Screen:
    """Shows how things stand, in a thread of its own, so that whoever does something only counts."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._progress: list[Progress] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, name="progress", daemon=True)

    @contextmanager
    def showing(self, progress: Progress) -> Iterator[None]:
        """While entered, this is shown."""
        self._progress.append(progress)
        try:
            yield
        finally:
            self._progress.remove(progress)

    def __enter__(self) -> Screen:
        self._display.open()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        with _told():
            self._display.close()

    def _show(self) -> None:
        with _told():
            while not self._ended.wait(self._display.pause):
                self._display.show(View(stages(), [*self._progress], time.monotonic()))
            return
        with _told():  # so that nothing that others say is kept back
            self._display.close()


@contextmanager
def _told() -> Iterator[None]:
    """A terminal that has gone ends no run."""
    try:
        yield
    except Exception:
        logger.debug("progress cannot be shown any more", exc_info=True)


def _display() -> Display:
    listener = _listener.get()
    if listener is not None:
        return PlainLines(listener)
    if sys.stderr.isatty() and os.isatty(2) and os.environ.get("TERM") not in NO_ROWS:
        from mipha_eval.engine.progress.terminal import TerminalRows

        return TerminalRows()
    return NotebookLine() if "ipykernel" in sys.modules else PlainLines(print_line)
