"""Progress as text: plain lines now and then, or one line that a notebook writes again and again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from mipha_eval.engine.progress.display import View
from mipha_eval.engine.progress.wording import stage_line, task_line, worker_lines

if TYPE_CHECKING:
    from mipha_eval.engine.progress.progress import Progress

SECONDS_BETWEEN_LINES = 10.0
SECONDS_IN_NOTEBOOK = 0.5


def print_line(line: str) -> None:
    """A line on standard error."""
    print(line, file=sys.stderr)


class PlainLines:
    """A line for each task that got answers since the last time; without any, one for what is under way."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self.pause = SECONDS_BETWEEN_LINES
        self._write = write
        self._done: dict[str, int] = {}

    def open(self) -> None:
        """Nothing is to be made ready."""

    def show(self, view: View) -> None:
        lines = [line for progress in view.progress for line in self._lines(progress, view.now)]
        if not lines and view.stages:
            lines = [stage_line(view.stages, view.now)]
        for line in lines:
            self._write(line)

    def close(self) -> None:
        """Nothing is in the way."""

    def _lines(self, progress: Progress, now: float) -> list[str]:
        new = [task for task in progress.tasks if task.asked and task.done != self._done.get(task.label, task.begun)]
        self._done |= {task.label: task.done for task in new}
        together = [progress.together] if new and len(progress.tasks) > 1 else []
        workers = worker_lines(progress.workers()) if new else []
        return [*(task_line(task, now) for task in (*new, *together)), *(f"  {line}" for line in workers)]


class NotebookLine:
    """One line, each time over the one before."""

    def __init__(self) -> None:
        self.pause = SECONDS_IN_NOTEBOOK
        self._width = 0

    def open(self) -> None:
        """Nothing is to be made ready."""

    def show(self, view: View) -> None:
        asked = [task_line(task, view.now) for progress in view.progress for task in progress.tasks if task.asked]
        asked += [task_line(each.together, view.now) for each in view.progress if asked and len(each.tasks) > 1]
        line = "; ".join(asked) or (stage_line(view.stages, view.now) if view.stages else "")
        if line:
            print(f"\r{line.ljust(self._width)}", end="", file=sys.stderr, flush=True)
            self._width = len(line)

    def close(self) -> None:
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)
            self._width = 0
