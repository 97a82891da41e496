"""Answers that are a number."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from mipha_eval.core.errors import UserError
from mipha_eval.core.format_lines import SHORT_ANSWER
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Sample
from mipha_eval.scoring.answers.wrapping import unwrapped
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.ruled import RuledTask, Worth, accepted
from mipha_eval.scoring.stock.stock_task import QuestionKind

AUTO = -1
#: beyond this nothing that people write has decimals
MOST_DECIMALS = 15
NUMBER = re.compile(r"(?<![\w.,])[-+\u2212]?(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)(?!\w)")


@dataclass(frozen=True)
class NumberTask(RuledTask):
    """A bare number, compared as MathVista compares: cut to a whole number, or rounded to as many decimals as the label has.

    Options: `answer_type`, ``integer``, ``float`` or ``auto`` for what the label is: a label with a full stop is a float;
    `precision`, the decimals to which a float is rounded, -1 for as many as the label has. All 458 questions of MathVista's
    testmini that ask for one number have their type and precision so.

    What is read is the whole answer, and only if Python's ``float`` reads it: "12", " 12.0 " and "1.2e1" are 12, and "12.9"
    is 12 where a whole number is asked for. "12 cm", "1,200", "50%" and "The answer is 12." are no number here: they are
    unparsed and wrong. MathVista has a language model extract the number from such an answer; this rule is what stands
    behind that. The lenient reading beside the headline takes the only number of the answer. The label is brought in the
    same form, so that "1.20" can be met, which in MathVista no answer equals.

    Source: lupantech/MathVista at 53d5258, ``evaluation/calculate_score.py`` (normalize_extracted_answer, safe_equal).
    """

    answer_type: Literal["auto", "integer", "float"] = "auto"
    precision: int = AUTO

    scorer: ClassVar[str] = "number"
    kinds: ClassVar[Sequence[QuestionKind]] = ("short",)
    format_line: ClassVar[str] = SHORT_ANSWER
    metrics: ClassVar[Sequence[Metric]] = (share("accuracy"),)

    def __post_init__(self) -> None:
        if not AUTO <= self.precision <= MOST_DECIMALS:
            raise UserError(f"option precision must be from 0 to {MOST_DECIMALS}, or -1 for the label's own")

    def target(self, question: Question) -> tuple[str, ...]:
        for answer in accepted(question):
            if self._normal(answer, answer) is None or not math.isfinite(float(answer)):
                raise ValueError(f"its answer {answer!r} is no number as Python writes one")
        return question.answers

    def read(self, sample: Sample, text: str) -> Worth:
        read = [self._normal(text, truth) for truth in sample.target]
        right = any(
            said is not None and said == self._normal(truth, truth) for said, truth in zip(read, sample.target, strict=True)
        )
        return Worth(Reading(read[0] or "", "number", parsed=read[0] is not None), float(right))

    def lenient(self, sample: Sample, text: str) -> float:
        official = self.read(sample, text)
        found = {each.replace(",", "").replace("\u2212", "-") for each in NUMBER.findall(unwrapped(text))}
        if official.reading.parsed or len(found) != 1:
            return official.value
        return self.read(sample, found.pop()).value

    def _normal(self, text: str, label: str) -> str | None:
        """A number as texts are compared, by what its label is; None for what is no number."""
        decimals = self._decimals(label)
        try:
            value = float(text)
            return str(int(value)) if decimals is None else str(round(value, decimals))
        except (ValueError, OverflowError):
            return None

    def _decimals(self, label: str) -> int | None:
        """To how many decimals an answer is rounded; None where it is cut to a whole number."""
        written = label.strip().lower().partition("e")[0].partition(".")[2]
        if self.answer_type == "integer" or (self.answer_type == "auto" and "." not in label):
            return None
        return self.precision if self.precision != AUTO else min(len(written), MOST_DECIMALS)
