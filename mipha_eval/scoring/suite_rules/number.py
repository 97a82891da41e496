"""What a suite makes of answers: a rule of its for a benchmark, and the number that the rule comes to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.types import Sample


@dataclass(frozen=True, slots=True)
class AnswerReading:
    """How a suite reads an answer.

    Attributes:
        answer: ``yes``, ``no`` or a letter, else the text that is compared; empty where the suite reads none.
        worth: 0 to 1.
        unsure: the suite would ask a judge, or draw; `worth` is then 0.
    """

    answer: str
    worth: float
    unsure: bool = False


#: a question, and how the answer to it is read
Read = tuple[Sample, AnswerReading]


def every(sample: Sample) -> bool:
    """All questions are asked."""
    return bool(sample.id)


def with_picture(sample: Sample) -> bool:
    """Only questions with a picture are asked."""
    return bool(sample.images)


def is_image(sample: Sample) -> bool:
    """Only questions of the category ``image`` are asked, as SEED-Bench names what is no video."""
    return sample.category == "image"


def as_given(samples: Sequence[Sample], texts: Mapping[str, str]) -> Mapping[str, str]:
    """Each question is answered for itself."""
    return {sample.id: texts[sample.id] for sample in samples}


def as_read(read: Sequence[Read]) -> Sequence[Read]:
    """No reading depends on others."""
    return read


@dataclass(frozen=True)
class SuiteRule:
    """A number that a suite prints for a benchmark.

    Attributes:
        task: the benchmark, by the name that it has here.
        beside: the metric of the task that is meant to be the same quantity.
        name: of the suite's task and metric, as it prints them.
        read: a question with a right answer and the text of an answer -> how it is read.
        total: all that was read -> percent, or points; None where it would be a division by zero.
        protocols: those of the task to whose questions it applies; empty for all that have labels.
        asks: whether the suite asks a question.
        rows: how many answers the suite counts of the whole benchmark; 0 where nobody can say without its file.
        answers: which text counts for a question, where a suite asks equal questions once.
        settle: takes the doubt from readings that cannot move the number.
        otherwise: what the suite does with an answer that its rule does not read; empty where that is just wrong.
    """

    task: str
    beside: str
    name: str
    read: Callable[[Sample, str], AnswerReading]
    total: Callable[[Sequence[Read]], float | None]
    protocols: tuple[str, ...] = ()
    asks: Callable[[Sample], bool] = every
    rows: int = 0
    answers: Callable[[Sequence[Sample], Mapping[str, str]], Mapping[str, str]] = as_given
    settle: Callable[[Sequence[Read]], Sequence[Read]] = as_read
    otherwise: str = ""


@dataclass(frozen=True)
class SuiteNumber:
    """What a suite would print.

    Attributes:
        value: percent or points, with every answer that the suite is unsure of wrong; None without answers.
        best: the same with all of these right.
        readings: by sample id.
    """

    rule: SuiteRule
    value: float | None
    best: float | None
    readings: Mapping[str, AnswerReading]

    @property
    def unsure(self) -> int:
        """How many answers the suite would ask a judge about, or draw."""
        return sum(reading.unsure for reading in self.readings.values())


def suite_number(rule: SuiteRule, samples: Sequence[Sample], texts: Mapping[str, str]) -> SuiteNumber:
    """Applies a rule.

    Args:
        texts: answers by sample id; questions without one, or without a label, are left out.
    """
    asked = [sample for sample in samples if sample.target and sample.id in texts and rule.asks(sample)]
    counted = rule.answers(asked, texts)
    read = rule.settle([(sample, rule.read(sample, counted[sample.id])) for sample in asked])
    right = [(sample, _as_right(sample, reading)) for sample, reading in read]
    return SuiteNumber(rule, rule.total(read), rule.total(right), {sample.id: reading for sample, reading in read})


def _as_right(sample: Sample, reading: AnswerReading) -> AnswerReading:
    return AnswerReading(sample.target[0].lower(), 1.0) if reading.unsure else reading


def sure(reading: AnswerReading) -> AnswerReading:
    """A reading without doubt."""
    return dataclasses.replace(reading, unsure=False)
