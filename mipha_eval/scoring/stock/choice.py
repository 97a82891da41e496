"""Questions with options, answered by a letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.format_lines import LETTER_ANSWER
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Sample
from mipha_eval.scoring.answers.lenient import read_letter
from mipha_eval.scoring.answers.letters import read_mmbench
from mipha_eval.scoring.circular import options_of
from mipha_eval.scoring.stock.options import right_letter
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.ruled import RuledTask, Worth
from mipha_eval.scoring.stock.stock_task import QuestionKind

REFUSAL = "mmbench-refusal"


@dataclass(frozen=True)
class ChoiceTask(RuledTask):
    """The letter or the text of an option in the answer, as VLMEvalKit reads it without a judge (can_infer).

    Up to 26 options. A refusal, which the official code reads as Z, is not the 26th option here.

    Source: open-compass/VLMEvalKit at e8e78f0, ``vlmeval/utils/matching_util.py``.
    """

    scorer: ClassVar[str] = "choice"
    kinds: ClassVar[Sequence[QuestionKind]] = ("choice",)
    format_line: ClassVar[str] = LETTER_ANSWER
    lettered: ClassVar[bool] = True
    metrics: ClassVar[Sequence[Metric]] = (share("accuracy"),)

    def target(self, question: Question) -> tuple[str, ...]:
        return (right_letter(question),)

    def read(self, sample: Sample, text: str) -> Worth:
        return Worth(reading := read_mmbench(text, options_of(sample)), worth_of(sample, reading))

    def lenient(self, sample: Sample, text: str) -> float:
        return float(read_letter(text, sample.choices) == sample.target[0])

    def possible_answers(self, sample: Sample) -> Mapping[str, bool]:
        return {letter: letter == sample.target[0] for letter in options_of(sample)} if sample.target else {}


def worth_of(sample: Sample, reading: Reading) -> float:
    """Whether a letter is the right one; a refusal is never."""
    return float(reading.answer == sample.target[0] and reading.rule != REFUSAL)
