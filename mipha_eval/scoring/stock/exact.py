"""Short answers that must equal an accepted one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.format_lines import SHORT_ANSWER
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Sample
from mipha_eval.scoring.answers.lenient import lenient_equal
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.ruled import RuledTask, Worth
from mipha_eval.scoring.stock.stock_task import QuestionKind


@dataclass(frozen=True)
class ExactTask(RuledTask):
    """Equal to an accepted answer, but for case, outer spaces and full stops at the end, as LLaVA prepares GQA's answers.

    Source: haotian-liu/LLaVA at c121f04, ``scripts/convert_gqa_for_eval.py``; outer spaces are this rule's own.
    """

    scorer: ClassVar[str] = "exact"
    kinds: ClassVar[Sequence[QuestionKind]] = ("short", "yesno")
    format_line: ClassVar[str] = SHORT_ANSWER
    metrics: ClassVar[Sequence[Metric]] = (share("accuracy"),)

    def target(self, question: Question) -> tuple[str, ...]:
        if any(not prepared(answer) for answer in question.answers):
            raise ValueError("an accepted answer is empty")
        return question.answers

    def read(self, sample: Sample, text: str) -> Worth:
        said = prepared(text)
        return Worth(Reading(said, "exact", parsed=bool(said)), float(said in map(prepared, sample.target)))

    def lenient(self, sample: Sample, text: str) -> float:
        return float(any(lenient_equal(text, truth) for truth in sample.target))


def prepared(text: str) -> str:
    """A text as it is compared."""
    return text.strip().rstrip(".").strip().lower()
