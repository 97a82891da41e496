"""Stock tasks whose rule reads a text."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.stock_task import StockTask


class Worth(NamedTuple):
    """How a text was read, and what it is worth, 0 to 1."""

    reading: Reading
    value: float


@dataclass(frozen=True)
class RuledTask(StockTask):
    """A rule that reads a text. A blank answer is never right, also where the official code would give it something."""

    @abstractmethod
    def read(self, sample: Sample, text: str) -> Worth:
        """Reads an answer that is not blank."""

    def score(self, sample: Sample, response: Response) -> Score:
        blank = Worth(Reading("", f"{self.scorer}-blank", parsed=False), 0.0)
        reading, value = self.read(sample, response.text) if response.text.strip() else blank
        return self.scored(sample, reading, value)


def accepted(question: Question) -> tuple[str, ...]:
    """A question's accepted answers as they are. Raises ValueError if one of them is blank."""
    if any(not answer.strip() for answer in question.answers):
        raise ValueError("an accepted answer is empty")
    return question.answers
