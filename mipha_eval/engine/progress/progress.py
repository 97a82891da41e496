"""How many questions of which tasks are answered, and what they score so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType

from mipha_eval.engine.progress.screen import Screen, shown_progress
from mipha_eval.engine.progress.task_count import TaskCount

TOGETHER = "all"


class Progress:
    """Counts answered questions of tasks, of which several may go on at once; shown while entered."""

    def __init__(
        self, tasks: Mapping[str, tuple[int, int]], quiet: bool = False, workers: Callable[[], Sequence[str]] = tuple
    ) -> None:
        """`tasks` has (all questions, those answered before) by the task's label, `workers` a line a worker, if any."""
        lacking = {label: counts for label, counts in tasks.items() if counts[0] > counts[1]}
        self._counts = {label: TaskCount(label, total, done, done) for label, (total, done) in lacking.items()}
        self._quiet = quiet or not lacking
        self._shown = ExitStack()
        self._screen: Screen | None = None
        self._last = self._began = time.monotonic()
        self.workers = workers

    @property
    def seen(self) -> bool:
        """Whether anybody is shown it."""
        return self._screen is not None

    @property
    def tasks(self) -> list[TaskCount]:
        """Those that lacked answers when it began."""
        return list(self._counts.values())

    @property
    def together(self) -> TaskCount:
        """All of these as one."""
        total, done, begun = (sum(getattr(task, name) for task in self.tasks) for name in ("total", "done", "begun"))
        return TaskCount(TOGETHER, total, done, begun, self._began)

    def __enter__(self) -> Progress:
        self._screen = self._shown.enter_context(shown_progress(quiet=self._quiet))
        self._last = self._began = time.monotonic()
        if self._screen is not None:
            self._shown.enter_context(self._screen.showing(self))
        return self

    def advance(self, label: str, count: int) -> None:
        """Notes that `count` more questions of a task were answered since the last call for any task."""
        now, task = time.monotonic(), self._counts.get(label)
        if task is not None:
            task.done += count
            task.started = self._last if task.started is None else task.started
            task.ended = now if task.done >= task.total else None
        self._last = now

    def tell(self, label: str, score: str, interval: str = "", *, scored: bool = False) -> None:
        """What a task's answers come to: those so far, or all of them."""
        task = self._counts.get(label)
        if task is not None:
            task.score, task.interval, task.scored = score, interval, scored

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._screen = None
        self._shown.__exit__(kind, error, trace)
