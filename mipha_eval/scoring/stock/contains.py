"""Answers in which an accepted one must stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Sample
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.ruled import RuledTask, Worth, accepted
from mipha_eval.scoring.stock.stock_task import QuestionKind


@dataclass(frozen=True)
class ContainsTask(RuledTask):
    """OCRBench's rule: an accepted answer stands somewhere in the answer, case, outer spaces and line breaks aside.

    It looks for characters, not for words: "no" stands in "I do not know". For written formulas (HME100k) OCRBench also
    takes all spaces out and minds case, which this does not. The question is asked without a format line, as OCRBench does.

    Source: Yuliang-Liu/MultimodalOCR at f5cbec6, ``OCRBench/example.py``.
    """

    scorer: ClassVar[str] = "contains"
    kinds: ClassVar[Sequence[QuestionKind]] = ("short", "open")
    metrics: ClassVar[Sequence[Metric]] = (share("accuracy"),)

    def target(self, question: Question) -> tuple[str, ...]:
        return accepted(question)

    def read(self, sample: Sample, text: str) -> Worth:
        found = [truth for truth in sample.target if one_line(truth) in one_line(text)]
        return Worth(Reading(one_line(text), "contains"), float(bool(found)))


def one_line(text: str) -> str:
    """A text as it is looked through."""
    return text.lower().strip().replace("\n", " ")
