"""Short answers that must equal an accepted one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.format_lines import SHORT_ANSWER
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.stock_task import QuestionKind, StockTask


@dataclass(frozen=True)
class ExactTask(StockTask):
    """Equal to an accepted answer, but for case, outer spaces and full stops at the end, as LLaVA prepares GQA's answers."""

    scorer: ClassVar[str] = "exact"
    kinds: ClassVar[Sequence[QuestionKind]] = ("short",)
    format_line: ClassVar[str] = SHORT_ANSWER
    metrics: ClassVar[Sequence[Metric]] = (share("accuracy"),)

    def target(self, question: Question) -> tuple[str, ...]:
        if any(not prepared(answer) for answer in question.answers):
            raise ValueError("an accepted answer is empty")
        return question.answers

    def score(self, sample: Sample, response: Response) -> Score:
        said = prepared(response.text)
        right = said in map(prepared, sample.target)
        return self.scored(sample, Reading(said, "exact", parsed=bool(said)), right)


def prepared(text: str) -> str:
    """A text as it is compared."""
    return text.strip().rstrip(".").strip().lower()
