"""The main thread's part of a run of a floor, which is handed the questions with their labels."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mipha_eval.core.errors import PluginError
from mipha_eval.core.floor import Floor
from mipha_eval.core.plugins.blame import blaming
from mipha_eval.core.plugins.checks.responses import checked_responses
from mipha_eval.engine.background import BackgroundWorker
from mipha_eval.runs.task_run import TaskRun


@dataclass(frozen=True)
class FloorLoop:
    """Answers all questions anew, since other labels of the benchmark may have changed, and stores what is not stored so."""

    tasks: Sequence[TaskRun]
    floor: Floor
    beside: BackgroundWorker

    def ask_all(self) -> None:
        """Leaves every task scored that no judge grades, or failed."""
        for task in self.tasks:
            with contextlib.suppress(PluginError):  # noted with the task; the others go on
                self._answer(task)
            if task.judge_queue is None:
                self.beside.submit(partial(task.finish, None))
        self.beside.finish()

    def _answer(self, task: TaskRun) -> None:
        started = time.perf_counter()
        work = task.work
        try:
            with blaming():
                given = self.floor.answers(work.task, work.benchmark, work.samples)
                responses = checked_responses(self.floor, task.requests, given)
        except PluginError as error:
            task.fail(error)
            raise
        known = [task.responses.get(sample.id) for sample in work.samples]
        task.todo = [place for place, response in enumerate(responses) if response != known[place]]
        new = [(number, responses[place]) for number, place in enumerate(task.todo)]
        task.receive(new, (time.perf_counter() - started) / max(len(responses), 1))
        self.beside.submit(partial(task.store, new))
