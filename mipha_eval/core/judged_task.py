"""What the author of a benchmark subclasses whose answers a judge can grade."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.task import Task
from mipha_eval.core.types import Answer, Dialogue, Score


@dataclass(frozen=True)
class JudgedTask(Task):
    """A task whose `score` is what the answers are worth without a judge, and whose `grade` asks one.

    Without a judge, answers that `score` calls parsed and `grade` would ask about have no score, unless a rule of the task's
    own stands in for the judge.

    Class attributes:
        without_judge: metrics that only the task's own rule gives.
    """

    without_judge: ClassVar[Sequence[str]] = ()

    @abstractmethod
    def grade(self, answers: Sequence[Answer], runs: int) -> Dialogue[Sequence[Score]]:
        """What a judge is asked about the answers of a group, and the scores that its replies come to, in the same order.

        A generator: it yields queries, is sent the judge's words, and depends on nothing else.

        Args:
            runs: grades of each answer, of which the mean counts.
        """

    @property
    def stand_in(self) -> str:
        """The name of the rule that stands in for a judge, such as ``rule``; "" where none does. Metrics carry it."""
        return ""
