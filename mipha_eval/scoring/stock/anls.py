"""Answers read from documents, a few wrong characters aside."""

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
class AnlsTask(RuledTask):
    """DocVQA's ANLS: one minus the normalised edit distance to the nearest accepted answer, and 0 below the threshold.

    Option: `threshold`, 0 to 1.

    The distance is between the texts in small letters with single spaces. It is divided by the length of the longer text as
    it was given, with all its spaces, as in the official script. That script gives something to a blank answer with as
    many spaces as the truth has letters; here it has 0. Paper: Biten et al., "Scene Text Visual Question Answering", ICCV
    2019 (arXiv:1907.00490); DocVQA (arXiv:2007.00398) takes it over.

    Source: the RRC's script for DocVQA and InfographicVQA (rrc.cvc.uab.es, challenge 17), as QwenLM/Qwen-VL at e6bbb9d has
    it, ``eval_mm/infographicsvqa_eval.py``.
    """

    threshold: float = 0.5

    scorer: ClassVar[str] = "anls"
    kinds: ClassVar[Sequence[QuestionKind]] = ("short",)
    format_line: ClassVar[str] = SHORT_ANSWER
    metrics: ClassVar[Sequence[Metric]] = (share("anls"),)

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise UserError(f"option threshold must be from 0 to 1, not {self.threshold}")

    def target(self, question: Question) -> tuple[str, ...]:
        return accepted(question)

    def read(self, sample: Sample, text: str) -> Worth:
        return Worth(Reading(plain(text), "anls"), anls(text, sample.target, self.threshold))

    def lenient(self, sample: Sample, text: str) -> float:
        return anls(read_short(text), sample.target, self.threshold)


def anls(answer: str, truths: Sequence[str], threshold: float = 0.5) -> float:
    """The similarity of an answer to the nearest of one or more truths, 0 to 1, and 0 if it is below the threshold."""
    similarity = 1 - min(_distance(answer, truth, threshold) for truth in truths)
    return similarity if similarity >= threshold else 0.0


def _distance(answer: str, truth: str, threshold: float) -> float:
    """The normalised edit distance; at least the one that is too long, where the lengths alone say so."""
    length = max(len(answer.upper()), len(truth.upper()))
    said, true = plain(answer), plain(truth)
    if not length:
        return 0.0
    least = abs(len(said) - len(true)) / length
    return least if 1 - least < threshold else edit_distance(said, true) / length


def plain(text: str) -> str:
    """A text as it is compared."""
    return " ".join(text.strip().lower().split())


def edit_distance(one: str, other: str) -> int:
    """Levenshtein's distance: the fewest characters to insert, delete or replace."""
    above = list(range(len(other) + 1))
    for number, mine in enumerate(one, start=1):
        row = [number]
        for place, theirs in enumerate(other):
            row.append(min(above[place] + (mine != theirs), above[place + 1] + 1, row[place] + 1))
        above = row
    return above[-1]
