"""The same answers under the rules of several suites: what each would print, and which answers they read otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample, Score
from mipha_eval.data.questions import read_samples
from mipha_eval.scoring.answer_files import Taken, read_answers
from mipha_eval.scoring.result import Scored, score_responses
from mipha_eval.scoring.suite_rules.number import AnswerReading, SuiteNumber, SuiteRule, every, suite_number
from mipha_eval.scoring.suite_rules.suites import OFFICIAL, SUITES, Suite, rules_for

#: what official rules call an answer that is none of the possible ones
UNREAD = ("other", "Z")
SAME = 1e-9  # of a worth


@dataclass(frozen=True)
class OtherReading:
    """An answer that a suite reads otherwise than the official rule."""

    sample: str
    text: str
    official: AnswerReading
    suite: AnswerReading


@dataclass(frozen=True)
class SuiteRow:
    """A number that a suite prints.

    Attributes:
        name: of the suite's task and metric; of the official rule, the task's metric.
        value: percent or points, with every answer that the suite is unsure of wrong; None without answers.
        best: the same with all of these right.
        official: the task's own metric that is meant to be the same.
        answers: how many count here.
        rows: how many would of the whole benchmark; 0 where nobody knows.
        unsure: answers that the suite would ask a judge about, or draw.
        otherwise: which of both.
        readings: answers that are read otherwise than by the official rule.
    """

    suite: str
    name: str
    beside: str
    value: float | None
    best: float | None
    official: float | None
    answers: int
    rows: int
    unsure: int = 0
    otherwise: str = ""
    readings: Sequence[OtherReading] = ()

    @property
    def better(self) -> int:
        """How many of them are worth more."""
        return sum(each.suite.worth > each.official.worth + SAME for each in self.readings)

    @property
    def worse(self) -> int:
        """How many of them are worth less."""
        return sum(each.suite.worth < each.official.worth - SAME for each in self.readings)


@dataclass(frozen=True)
class SuiteComparison:
    """All rows of a benchmark.

    Attributes:
        task: name and protocol.
        missing: questions without an answer; every number is of those with one.
        without: suites that do not have the benchmark.
        left_out: answers that belong to no question.
    """

    task: str
    questions: int
    missing: int
    rows: Sequence[SuiteRow]
    without: Sequence[str]
    left_out: int = 0


def compare_suites(task: Task, answers: Path, names: Sequence[str], *, subset: bool = False) -> SuiteComparison:
    """Reads an answer file once, and applies each suite's rules to it.

    Args:
        names: of suites, `official` among them or not; readings are compared with the official ones all the same.
        subset: leave out answers to questions that are not asked.

    Raises:
        UserError: the data is missing, the labels are not public, or the answers do not belong to the task's questions.
    """
    samples = read_samples(task)
    if not any(sample.target for sample in samples):
        raise UserError(f"{task.label} has no public labels, so that only its server knows what answers are worth")
    found = read_answers(answers, task, samples, Taken(subset=subset))
    texts = {name: response.text for name, response in found.responses.items() if not response.error}
    official = score_responses(task, samples, found.responses)
    rules = {name: rules_for(task, SUITES[name]) for name in names if name != OFFICIAL}
    rows: list[SuiteRow] = []
    for name in names:
        if name == OFFICIAL:
            rows += _official_rows(task, official, samples, [rule for each in rules.values() for rule in each])
            continue
        numbers = [suite_number(rule, samples, texts) for rule in rules[name]]
        rows += [_row(SUITES[name], number, official, texts, samples) for number in numbers]
    missing = sum(sample.id not in texts for sample in samples)
    without = [name for name, each in rules.items() if not each]
    return SuiteComparison(task.label, len(samples), missing, rows, without, found.left_out)


def _official_rows(task: Task, official: Scored, samples: Sequence[Sample], rules: Sequence[SuiteRule]) -> list[SuiteRow]:
    """The headline, and metrics that suites print, in the task's order."""
    metrics, headline = official.summary.metrics, official.summary.headline
    beside = {rule.beside: rule.asks for rule in rules}
    wanted = [name for name in metrics if name == headline or name in beside]
    scored = {score.sample for score in official.scores}
    found = []
    for name in wanted:
        count = sum(sample.id in scored and beside.get(name, every)(sample) for sample in samples)
        found.append(SuiteRow(OFFICIAL, f"{task.label}: {name}", name, metrics[name], metrics[name], None, count, 0))
    return found


def _row(
    suite: Suite, number: SuiteNumber, official: Scored, texts: Mapping[str, str], samples: Sequence[Sample]
) -> SuiteRow:
    rule: SuiteRule = number.rule
    scores = {score.sample: score for score in official.scores}
    return SuiteRow(
        str(suite),
        rule.name,
        rule.beside,
        number.value,
        number.best,
        official.summary.metrics.get(rule.beside),
        len(number.readings),
        rule.rows,
        number.unsure,
        rule.otherwise,
        [
            OtherReading(sample.id, texts[sample.id], ours, theirs)
            for sample in samples
            if (theirs := number.readings.get(sample.id)) is not None
            and sample.id in scores
            and _differ(sample, ours := _official_reading(scores[sample.id]), theirs)
        ],
    )


def _official_reading(score: Score) -> AnswerReading:
    return AnswerReading("" if score.reading in UNREAD else score.reading, score.value)


def _differ(sample: Sample, official: AnswerReading, suite: AnswerReading) -> bool:
    """Whether two readings differ in worth, or, where only few answers are possible, in what was answered.

    Free texts are normalised by each suite in its own way, on both sides, which says nothing by itself.
    """
    if abs(official.worth - suite.worth) > SAME:
        return True
    closed = bool(sample.choices) or sample.target[0].lower() in ("yes", "no")
    return closed and len(sample.target) == 1 and official.answer.lower() != suite.answer.lower()
