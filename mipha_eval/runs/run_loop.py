"""The main thread's part of a run: one order of questions for all tasks."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

from mipha_eval.core.types import Response
from mipha_eval.engine.backend import Backend
from mipha_eval.engine.background import BackgroundWorker
from mipha_eval.engine.distinct import IndexedResponses
from mipha_eval.engine.progress.progress import Progress
from mipha_eval.engine.self_check import SelfCheck
from mipha_eval.runs.running_score import RunningScore, headline_of
from mipha_eval.runs.task_run import TaskRun
from mipha_eval.scoring.result_record import CheckCounts


@dataclass(frozen=True)
class RunLoop:
    """Asks for what all tasks lack, in one go, so that a picture that several ask about is read once.

    A task is checked and scored as soon as its last answer is there, the scoring beside the others' inference; one that goes
    to a judge is left for when the judge has finished.

    Attributes:
        stop: once it is true, nothing more is asked.
        known: responses from before, by request identity.
    """

    tasks: Sequence[TaskRun]
    backend: Backend
    proof: SelfCheck
    beside: BackgroundWorker
    stop: Callable[[], bool]
    known: Mapping[Hashable, Response]

    def ask_all(self, *, quiet: bool) -> None:
        """Leaves every task scored that no judge grades; those that Ctrl-C cut short with what they have."""
        counts = {task.label: (len(task.requests), len(task.responses)) for task in self.tasks}
        with Progress(counts, quiet, self.backend.lines) as progress:
            for task in self.tasks:
                if not task.todo:
                    self._finish(task, progress)
            first = next((task for task in self.tasks if task.todo), None)
            if first is not None:
                self.beside.submit(first.announce)
            self._ask(progress)
            self.backend.release()
            for task in self.tasks:
                if task.left:
                    self._finish(task, progress)
            self.beside.finish()

    def _ask(self, progress: Progress) -> None:
        begins = list(accumulate((len(task.todo) for task in self.tasks), initial=0))
        requests = [task.requests[place] for task in self.tasks for place in task.todo]
        scores = [running_score(task) if progress.seen else None for task in self.tasks]
        for task in self.tasks:
            task.draw(self.proof.count(len(task.todo)))
        started = time.perf_counter()
        for answered in self.backend.run(requests, self.stop, self.known):
            # before anything is handed on: waiting for what is done beside the model is no time of the model's
            seconds = time.perf_counter() - started
            parts, share = by_task(answered, begins), seconds / max(len(answered), 1)
            for number, pairs in parts.items():
                task = self.tasks[number]
                task.receive(pairs, share)
                self.beside.submit(partial(keep, task, pairs, progress, scores[number]))
                progress.advance(task.label, len(pairs))
            for number in parts:
                if not self.tasks[number].left:
                    self._check(self.tasks[number])
                    self._finish(self.tasks[number], progress)
            started = time.perf_counter()

    def _check(self, task: TaskRun) -> None:
        count = self.proof.count(task.generated)
        if count and not self.stop():
            self.proof.check(task.label, task.some_answers(count))

    def _finish(self, task: TaskRun, progress: Progress) -> None:
        if task.judge_queue is None:
            self.beside.submit(partial(finish, task, progress, self.proof.summary(task.label)))


def running_score(task: TaskRun) -> RunningScore | None:
    """Of what is stored, to begin with; None where a judge grades, or nothing is asked."""
    if task.judge_queue is not None or not task.todo:
        return None
    found, known = RunningScore(task.work.task, task.work.samples), task.responses
    found.add((sample, known[sample.id]) for sample in task.work.samples if sample.id in known)
    return found


def keep(task: TaskRun, answered: IndexedResponses, progress: Progress, score: RunningScore | None) -> None:
    """Stores what was received, and tells what it comes to."""
    task.store(answered)
    if score is not None:
        score.add((task.work.samples[task.todo[number]], response) for number, response in answered)
        headline = score.headline()
        progress.tell(task.label, headline.score, headline.interval)


def finish(task: TaskRun, progress: Progress, checks: CheckCounts | None) -> None:
    """Scores a task, and tells its result."""
    task.finish(checks)
    if task.result is not None:
        headline = headline_of(task.result.summary)
        progress.tell(task.label, headline.score, headline.interval, scored=True)


def by_task(answered: IndexedResponses, begins: Sequence[int]) -> dict[int, IndexedResponses]:
    """Splits (place among all requests, response) by the number of the task; places count within the task then.

    Args:
        begins: the place of each task's first request.
    """
    parts: dict[int, IndexedResponses] = {}
    for place, response in answered:
        number = bisect_right(begins, place) - 1
        parts.setdefault(number, []).append((place - begins[number], response))
    return parts
