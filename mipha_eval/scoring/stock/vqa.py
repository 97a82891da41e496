"""Short answers that several people gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.format_lines import SHORT_ANSWER
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Sample
from mipha_eval.scoring.answers.lenient import lenient_accuracy
from mipha_eval.scoring.answers.vqa import not_ten, vqa_accuracy
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.ruled import RuledTask, Worth, accepted
from mipha_eval.scoring.stock.stock_task import QuestionKind

#: so many of the other people must have given an answer for it to be worth all of their part
ENOUGH = 3


@dataclass(frozen=True)
class VqaTask(RuledTask):
    """VQAv2's accuracy: the mean over the people of min(1, others who gave the answer / 3).

    With fewer than four people no answer is worth all, and with one none is worth anything. Answers are compared in VQAv2's
    normal form unless all people agree, when they are compared as they are.

    Source: GT-Vision-Lab/VQA at a013f00, ``PythonEvaluationTools/vqaEvaluation/vqaEval.py``.
    """

    scorer: ClassVar[str] = "vqa"
    kinds: ClassVar[Sequence[QuestionKind]] = ("short", "yesno")
    format_line: ClassVar[str] = SHORT_ANSWER
    metrics: ClassVar[Sequence[Metric]] = (share("accuracy"),)

    def target(self, question: Question) -> tuple[str, ...]:
        return accepted(question)

    def odd_label(self, sample: Sample) -> str:
        humans = len(sample.target)
        most = 100 * min(1.0, (humans - 1) / ENOUGH)
        return not_ten(sample.target) + (f", so that no answer is worth more than {most:.0f} %" if most < 100 else "")

    def read(self, sample: Sample, text: str) -> Worth:
        return Worth(Reading(text.strip(), "vqa"), vqa_accuracy(text, sample.target))

    def lenient(self, sample: Sample, text: str) -> float:
        return lenient_accuracy(text, sample.target)
