"""Progress on standard error: a rich bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Counts answered questions of a task."""

    def __init__(self, label: str, total: int, done: int, quiet: bool = False) -> None:
        self._label, self._total, self._done, self._quiet = label, total, done, quiet
        self._started = self._printed = time.monotonic()
        self._begun = done
        self._bar: Any = None

    def __enter__(self) -> Progress:
        if self._quiet or self._begun == self._total:
            self._quiet = True
        elif sys.stderr.isatty():
            self._bar = _rich_bar()
            self._bar.start()
            self._row = self._bar.add_task(self._label, total=self._total, completed=self._done)
        return self

    def advance(self, count: int) -> None:
        self._done += count
        if self._bar is not None:
            self._bar.update(self._row, completed=self._done)
        elif not self._quiet and time.monotonic() - self._printed > SECONDS_BETWEEN_LINES:
            self._printed = time.monotonic()
            rate = (self._done - self._begun) / (self._printed - self._started)
            left = (self._total - self._done) / rate if rate else 0
            print(f"{self._label} {self._done:,}/{self._total:,} {rate:.1f}/s {left:.0f} s left", file=sys.stderr)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()


def _rich_bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
