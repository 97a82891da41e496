"""What the answers so far come to, while the others are still on their way."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mipha_eval.core.plugins.blame import blaming
from mipha_eval.core.plugins.checks.scores import checked_score
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.reporting.decimals import decimals
from mipha_eval.scoring.measuring import Measuring, Numbers, find_numbers
from mipha_eval.scoring.result_record import ResultRecord

#: seconds between two numbers, and how many times as long as making one took: so they take 2 % of a processor at most
PAUSE, TIMES = 1.0, 50.0
#: seconds for reading answers at a time; others are read the next time, since whoever stores answers waits for this
TURN = 0.1


@dataclass(frozen=True)
class Headline:
    """A task's first metric and its interval, as texts; both empty where nobody knows."""

    score: str = ""
    interval: str = ""


UNKNOWN = Headline()


def headline_of(numbers: Numbers | ResultRecord) -> Headline:
    """Of numbers so far, or of a result."""
    name = numbers.headline
    value, bounds = numbers.metrics.get(name), numbers.intervals.get(name)
    if value is None:
        return UNKNOWN
    places = decimals(numbers.units.get(name, ""))
    interval = "" if bounds is None else f"{bounds[0]:.{places}f} to {bounds[1]:.{places}f}"
    return Headline(f"{name} {value:.{places}f}", interval)


class RunningScore:
    """The headline of a task over groups of questions that are answered as a whole, failed answers left out.

    There is none for a task whose answers are scored all together (`Task.finish`), as captions are. To be used in one
    thread, that in which the task is scored later.
    """

    def __init__(self, task: Task, samples: Sequence[Sample]) -> None:
        self._task = task
        self._together = type(task).finish is not Task.finish
        self._places = {sample.id: place for place, sample in enumerate(samples)}
        self._lacking = Counter(sample.group or sample.id for sample in samples)
        self._answers: dict[str, list[tuple[Sample, Response]]] = {}
        self._whole: deque[str] = deque()
        self._scores: list[Score] = []
        self._headline = UNKNOWN
        self._due = 0.0

    def add(self, answers: Iterable[tuple[Sample, Response]]) -> None:
        """Notes answers; they are read when a number is due."""
        for sample, response in answers if not self._together else ():
            name = sample.group or sample.id
            self._answers.setdefault(name, []).append((sample, response))
            self._lacking[name] -= 1
            if not self._lacking[name]:
                self._whole.append(name)

    def headline(self) -> Headline:
        """A new number if one is due, else the last one; none once the task's code failed, which scoring it will tell of."""
        began = time.monotonic()
        if self._whole and began >= self._due:
            try:
                with blaming():
                    self._score_whole()
                    self._headline = headline_of(find_numbers(Measuring(self._task), self._scores))
            except Exception:  # a plugin's of whatever kind
                self._headline, self._due = UNKNOWN, math.inf
                return UNKNOWN
            ended = time.monotonic()
            self._due = ended + max(PAUSE, TIMES * (ended - began))
        return self._headline

    def _score_whole(self) -> None:
        """Scores groups that became whole since the last time, the answers of each in the questions' order."""
        ends = time.monotonic() + TURN
        while self._whole and time.monotonic() < ends:
            group = self._answers.pop(self._whole.popleft())
            for sample, response in sorted(group, key=lambda pair: self._places[pair[0].id]):
                if sample.target and not response.error:
                    self._scores.append(checked_score(self._task, sample.id, self._task.score(sample, response)))
