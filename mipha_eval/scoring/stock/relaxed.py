"""Answers read from charts, whose numbers may be a little off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.errors import UserError
from mipha_eval.core.format_lines import SHORT_ANSWER
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Sample
from mipha_eval.scoring.answers.lenient import read_short
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.ruled import RuledTask, Worth, accepted
from mipha_eval.scoring.stock.stock_task import QuestionKind


@dataclass(frozen=True)
class RelaxedTask(RuledTask):
    """ChartQA's relaxed correctness: a number within 5 % of an accepted one, any other text equal to it but for case.

    Option: `tolerance`, a part of the accepted number.

    A text is a number if Python's ``float`` reads it; one that ends in a percent sign is divided by 100, so that "50%" is
    0.5 and not 50. Where the accepted number is 0, or one side is no number, texts are compared, with all their spaces.

    Source: google-research/pix2struct at 945f27e, ``pix2struct/metrics.py``, which ChartQA's paper (arXiv:2203.10244,
    section 5.1) describes; of several accepted answers the best counts.
    """

    tolerance: float = 0.05

    scorer: ClassVar[str] = "relaxed"
    kinds: ClassVar[Sequence[QuestionKind]] = ("short",)
    format_line: ClassVar[str] = SHORT_ANSWER
    metrics: ClassVar[Sequence[Metric]] = (share("relaxed_accuracy"),)

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise UserError(f"option tolerance must be 0 or more, not {self.tolerance}")

    def target(self, question: Question) -> tuple[str, ...]:
        return accepted(question)

    def read(self, sample: Sample, text: str) -> Worth:
        right = any(relaxed_equal(text, truth, self.tolerance) for truth in sample.target)
        return Worth(Reading(text, "relaxed-number" if number_in(text) is not None else "relaxed-text"), float(right))

    def lenient(self, sample: Sample, text: str) -> float:
        said = read_short(text)
        return float(any(relaxed_equal(said, truth.strip(), self.tolerance) for truth in sample.target))


def relaxed_equal(answer: str, truth: str, tolerance: float = 0.05) -> bool:
    """Whether an answer is the truth, as far as a chart can tell."""
    said, true = number_in(answer), number_in(truth)
    if said is None or not true:
        return answer.lower() == truth.lower()
    return abs(said - true) / abs(true) <= tolerance


def number_in(text: str) -> float | None:
    """A text as a number, percent as hundredths; None if it is none."""
    try:
        return float(text.rstrip("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None
