"""Questions that are answered by yes or no."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.format_lines import SHORT_ANSWER
from mipha_eval.core.metrics import Metric, Tally, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.scoring.answers.lenient import read_yes_no
from mipha_eval.scoring.answers.vqa import COMMA_IN_NUMBER, PUNCTUATION
from mipha_eval.scoring.binary import binary_metrics, confusion_cell
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.ruled import RuledTask, Worth
from mipha_eval.scoring.stock.stock_task import QuestionKind

LABELS = {"yes": "yes", "y": "yes", "true": "yes", "no": "no", "n": "no", "false": "no"}
OTHER = {"yes": "no", "no": "yes"}
#: what the counts of the table of truths and answers begin with
ALL = "all"
FULL_STOP = re.compile(r"(?<!\d)\.(?!\d)")
FULL_STOPS_REMOVED = 32  # as in VQAv2's scorer, from which the official code has it: a flag stands where a count belongs


@dataclass(frozen=True)
class YesNoTask(RuledTask):
    """Yes if that is among the answer's words and no is not, and the other way round, as VLMEvalKit reads it.

    An answer with both words or neither is unparsed and wrong. In precision, recall, F1 and yes ratio it counts as not yes,
    as in the official code; "yes" is the positive answer. Labels are yes and no, true and false, y and n.

    Source: open-compass/VLMEvalKit at e8e78f0, ``vlmeval/dataset/utils/yorn.py`` and ``vlmeval/smp/misc.py``.
    """

    scorer: ClassVar[str] = "yesno"
    kinds: ClassVar[Sequence[QuestionKind]] = ("yesno",)
    format_line: ClassVar[str] = SHORT_ANSWER
    metrics: ClassVar[Sequence[Metric]] = (
        share("accuracy"),
        *(metric for metric in binary_metrics((ALL,)) if metric.name in ("precision", "recall", "f1", "yes_ratio")),
    )

    def target(self, question: Question) -> tuple[str, ...]:
        labels = {LABELS.get(answer.strip().rstrip(".").lower(), "") for answer in question.answers}
        if len(labels) != 1 or "" in labels:
            given = ", ".join(map(repr, question.answers))
            raise ValueError(f"its answer {given} is neither yes nor no (nor true, false, y or n)")
        return tuple(labels)

    def read(self, sample: Sample, text: str) -> Worth:
        said = yes_or_no(text)
        return Worth(Reading(said, "yes-xor-no", parsed=bool(said)), float(said == sample.target[0]))

    def score(self, sample: Sample, response: Response) -> Score:
        score = super().score(sample, response)
        said = score.reading or "no"  # an unread answer is no yes
        return dataclasses.replace(score, details={"cell": confusion_cell(said, sample.target[0])})

    def tally(self, scores: Sequence[Score]) -> Tally:
        counts = dict(super().tally(scores))
        for score in scores:
            cell = f"{ALL}/{score.details['cell']}"
            counts[cell] = counts.get(cell, 0.0) + 1.0
        return counts

    def possible_answers(self, sample: Sample) -> Mapping[str, bool]:
        return {text.title(): text == sample.target[0] for text in OTHER} if sample.target else {}

    def lenient(self, sample: Sample, text: str) -> float:
        return float(read_yes_no(text) == sample.target[0])

    def with_outcome(self, score: Score, value: float) -> Score:
        truth = "yes" if score.details["cell"] in ("tp", "fn") else "no"
        cell = confusion_cell(truth if value else OTHER[truth], truth)
        return dataclasses.replace(score, value=float(value), details={"cell": cell})


def yes_or_no(text: str) -> str:
    """yes or no by VLMEvalKit's rule (YOrN_Extraction); empty for both and for neither."""
    said = {word for word in plain_words(text) if word in OTHER}
    return said.pop() if len(said) == 1 else ""


def plain_words(text: str) -> list[str]:
    """The words of a text in small letters, without punctuation as VLMEvalKit's process_punctuation takes it off.

    It is VQAv2's rule with its look-behind mended, so that a full stop behind a digit stays.
    """
    lowered = text.lower()
    number = COMMA_IN_NUMBER.search(lowered) is not None
    plain = lowered
    for mark in PUNCTUATION:
        if mark in lowered:
            beside_space = f"{mark} " in lowered or f" {mark}" in lowered
            plain = plain.replace(mark, "" if number or beside_space else " ")
    return FULL_STOP.sub("", plain, count=FULL_STOPS_REMOVED).split()
