"""What a floor's author subclasses: answers from a benchmark's labels, which no model sees."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import UserError
from mipha_eval.core.task import Task
from mipha_eval.core.types import Request, Response, Sample


@dataclass(frozen=True)
class Floor(ModelAdapter):
    """Answers of no model, such as the most frequent ones. A run hands it the questions with their labels.

    So it can be run where there are labels alone: `generate`, which sees requests, is refused.
    """

    floor: ClassVar[bool] = True
    reads_images: ClassVar[bool] = False
    heeds: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def answers(self, task: Task, benchmark: Sequence[Sample], asked: Sequence[Sample]) -> list[Response]:
        """An answer to each question, in the same order. They are made anew whenever the run goes on.

        Args:
            benchmark: all questions of the task, before a limit.
            asked: those of them that want an answer.
        """

    def expectation(self, task: Task, benchmark: Sequence[Sample], asked: Sequence[Sample]) -> Mapping[str, float]:
        """The exact expectation of the metrics that have one, by whole name; of answers that are not drawn nothing."""
        return {}

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        raise UserError(f"model {self.name} answers from a benchmark's labels; it can be evaluated, and do nothing else")
