"""Progress on standard error: bars on a terminal, one line in a notebook, and now and then a plain line elsewhere.

It is no message of logging; where somebody sets this module's logger to WARNING, there is none.
"""

from __future__ import annotations

import functools
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0
SECONDS_IN_NOTEBOOK = 0.5
WIDTHS = 4, 40  # of a bar
WORKERS_SHOWN = 8
BESIDE = 32  # letters that counts, time and spaces take

#: who is told lines of progress in place of standard error
_listener: ContextVar[Callable[[str], object] | None] = ContextVar("_listener", default=None)


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
        print(line, file=sys.stderr)


@dataclass
class _Count:
    """How far a task is.

    Attributes:
        begun: how many were answered before.
        started: seconds of the clock; None while no answer has come.
        row: of the bar, where there is one.
    """

    total: int
    done: int
    begun: int
    started: float | None = None
    row: Any = None


class Progress:
    """Counts answered questions of tasks, of which several may go on at once."""

    def __init__(
        self, tasks: Mapping[str, tuple[int, int]], quiet: bool = False, workers: Callable[[], Sequence[str]] = tuple
    ) -> None:
        """`tasks` has (all questions, those answered before) by the task's label, `workers` a line a worker, if any."""
        self._counts = {label: _Count(total, done, done) for label, (total, done) in tasks.items()}
        nothing = all(total == done for total, done in tasks.values())
        self._workers = workers
        self._quiet = quiet or nothing or logger.level > logging.INFO
        self._last = self._printed = time.monotonic()
        self._bar: Any = None
        self._notebook = "ipykernel" in sys.modules
        self._pause = SECONDS_IN_NOTEBOOK if self._notebook else SECONDS_BETWEEN_LINES
        self._width = 0

    def __enter__(self) -> Progress:
        if not self._quiet and sys.stderr.isatty():
            self._bar = _rich_bar(max(map(len, self._counts)), self._workers)
            self._bar.start()
        return self

    def advance(self, label: str, count: int) -> None:
        """Notes that `count` more questions of a task were answered since the last call for any task."""
        task, now = self._counts[label], time.monotonic()
        task.done += count
        task.started = self._last if task.started is None else task.started
        self._last = now
        if self._bar is not None:
            self._show(label, task)
        elif not self._quiet and now - self._printed > self._pause:
            self._printed = now
            rate = (task.done - task.begun) / max(now - task.started, 1e-9)
            left = (task.total - task.done) / rate if rate else 0
            self._print(f"{label} {task.done:,}/{task.total:,} {rate:.1f}/s {left:.0f} s left")
            for line in () if self._notebook else first_lines(self._workers()):  # there is one line there
                self._print(f"  {line}")

    def _print(self, line: str) -> None:
        """A line of its own; in a notebook over the one before."""
        listener = _listener.get()
        if listener is not None:
            listener(line)
        elif self._notebook:
            print(f"\r{line.ljust(self._width)}", end="", file=sys.stderr, flush=True)
            self._width = len(line)
        else:
            print(line, file=sys.stderr)

    def _show(self, label: str, task: _Count) -> None:
        if task.row is None:
            task.row = self._bar.add_task(label, total=task.total, completed=task.begun)
        self._bar.update(task.row, completed=task.done, visible=task.done < task.total)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._width:
            print(file=sys.stderr)


def first_lines(lines: Sequence[str]) -> list[str]:
    """As many lines as a terminal has room for, and how many there are beside."""
    shown = list(lines[:WORKERS_SHOWN])
    return [*shown, f"and {len(lines) - len(shown)} workers more"] if len(lines) > len(shown) else shown


@functools.cache
def error_console() -> Console:
    """Standard error as a terminal; one for all, so that messages stand above the bars."""
    from rich.console import Console

    return Console(stderr=True)


def _rich_bar(longest: int, workers: Callable[[], Sequence[str]]) -> Any:
    """Bars that leave room for counts and time, and for labels of up to so many letters; under them a line a worker."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column
    from rich.text import Text

    console = error_console()
    label = TextColumn("{task.description}", table_column=Column(overflow="fold"))
    bar = BarColumn(max(WIDTHS[0], min(WIDTHS[1], console.width - longest - BESIDE)))

    class Bars(Progress):
        def get_renderables(self) -> Iterable[RenderableType]:
            yield from super().get_renderables()
            yield from map(Text, first_lines(workers()))

    return Bars(label, bar, MofNCompleteColumn(), TimeRemainingColumn(), console=console, transient=True)
