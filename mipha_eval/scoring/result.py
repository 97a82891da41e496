"""From responses to a result: scores, metrics with intervals, and what stands beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json
from mipha_eval.core.metrics import Totals, add_tallies, group_scores
from mipha_eval.core.plugins.checks.questions import checked_oddity
from mipha_eval.core.plugins.checks.refusal import refusal
from mipha_eval.core.plugins.checks.scores import (
    checked_notes,
    checked_score,
    checked_scores,
    checked_worth,
    metric_value,
)
from mipha_eval.core.task import JUDGE_FAILED, UNGRADED, Task
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.core.upload_task import is_for_server
from mipha_eval.scoring.answers.wrapping import wrappers
from mipha_eval.scoring.certificate import certificate_note
from mipha_eval.scoring.gaps import gaps
from mipha_eval.scoring.judging.judge_counts import JudgeCounts
from mipha_eval.scoring.judging.ungraded import without_judge
from mipha_eval.scoring.measuring import Measuring, find_numbers
from mipha_eval.scoring.probability import summarize_beliefs
from mipha_eval.scoring.result_record import FIELDS, Moves, ResultRecord, known_notes
from mipha_eval.scoring.served_counts import served_counts
from mipha_eval.stats.interval import METHOD


@dataclass(frozen=True)
class Scored:
    """Scores of a task, and what ``result.json`` and ``score --json`` say of them."""

    scores: Sequence[Score]
    summary: ResultRecord

    @property
    def complete(self) -> bool:
        return is_complete(self.summary)


def is_complete(summary: ResultRecord) -> bool:
    """Whether a result lacks nothing: every question is answered, read and, where a judge was asked, graded."""
    return not gaps(summary) and not (summary.judge and summary.judge.ungraded)


class Grades(Protocol):
    """A judge's verdicts on a task's answers; see `judge.judged.Judged`."""

    @property
    def name(self) -> str:
        """The judge's."""

    def regrade(
        self, task: Task, samples: Mapping[str, Sample], responses: Mapping[str, Response], scores: Sequence[Score]
    ) -> tuple[list[Score], JudgeCounts]:
        """The scores that the verdicts come to, in the same order, and what a result says of the judge."""


def score_responses(
    task: Task, samples: Sequence[Sample], responses: Mapping[str, Response], judged: Grades | None = None
) -> Scored:
    """Scores what was answered. A sample that failed gets no score and is counted; so is a missing one, unless the official
    scorer takes it for wrong.

    Args:
        responses: by sample id.
        judged: a judge's verdicts on the answers; None leaves them to the task's own rule.
    """
    found = _read(task, samples, responses)
    by_id = {sample.id: sample for sample in samples}
    if judged:
        read, judge = judged.regrade(task, by_id, responses, found.scores)
    else:
        read, judge = without_judge(task, by_id, responses, found.scores), None
    scores = checked_scores(task, "finish", read, task.finish(by_id, read))
    summary = _summary(Measuring(task, judged.name if judged else ""), samples, responses, found, scores)
    return Scored(scores, msgspec.structs.replace(summary, judge=judge))


def _summary(
    measuring: Measuring,
    samples: Sequence[Sample],
    responses: Mapping[str, Response],
    found: _Read,
    scores: Sequence[Score],
) -> ResultRecord:
    """All but what is to be said of a judge."""
    task, failed = measuring.task, found.failures.total()
    ungraded = sum(score.rule == JUDGE_FAILED for score in scores)
    numbers = find_numbers(measuring, scores)
    headline = numbers.metrics.get(numbers.headline)
    lenient, moves = _second_reading(measuring, scores, found.lenient, headline)
    return ResultRecord(
        task=task.label,
        version=task.version,
        n=len(samples) - found.missing - failed - found.unlabelled - ungraded,
        unlabelled=found.unlabelled,
        for_server=is_for_server(task),
        missing=found.missing,
        unparsed=sum(unread(score) and score.sample in responses for score in scores),
        failed=failed,
        headline=numbers.headline,
        metrics=numbers.metrics,
        intervals=numbers.intervals,
        interval_notes=numbers.interval_notes,
        interval_method=METHOD,
        envelope=_envelope(measuring, scores, headline),
        lenient=lenient,
        lenient_moves=moves,
        wrapped=dict(found.wrapped.most_common(20)),
        units=numbers.units,
        provenance=numbers.provenance,
        probabilities=summarize_beliefs(task, samples, responses),
        failures=dict(found.failures.most_common(20)),
        odd_labels=dict(found.odd_labels),
        rules=dict(Counter(score.rule for score in scores)),
        data=str(task.data),
        annotations=task.data.annotations.name if task.data.annotations else None,
        expected_rows=tuple(task.rows.get(task.protocol, ())),
        certificate=certificate_note(task, numbers.headline),
        notes=_notes(task, scores),
        served=served_counts(responses[sample.id] for sample in samples if sample.id in responses),
    )


def _notes(task: Task, scores: Sequence[Score]) -> Mapping[str, Json]:
    """What the task itself says beside its numbers."""
    notes = checked_notes(task, task.notes(scores), FIELDS)
    try:
        known_notes(notes, f"what notes of {task.label} gave")
    except UserError as error:
        raise refusal(type(task), "notes", str(error)) from error
    return notes


def unread(score: Score) -> bool:
    """Whether nobody could say what was answered; where a judge has yet to say it, that is another matter."""
    return not score.parsed and score.rule not in UNGRADED


@dataclass
class _Read:
    """What the responses were read as.

    Attributes:
        lenient: by sample id, what answers are worth under the task's second reading, if it has one.
        wrapped: answers by what they hold that no official rule knows, see `wrappers`.
    """

    scores: list[Score] = field(default_factory=list)
    lenient: dict[str, float] = field(default_factory=dict)
    wrapped: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    odd_labels: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    unlabelled: int = 0


def _read(task: Task, samples: Sequence[Sample], responses: Mapping[str, Response]) -> _Read:
    found = _Read()
    for sample in samples:
        odd = checked_oddity(task, sample) if sample.target else ""
        if odd:
            found.odd_labels[odd] += 1
        response = responses.get(sample.id)
        if response is not None and response.error:
            found.failures[response.error] += 1
            continue
        found.missing += response is None
        if response is not None:
            found.wrapped.update(wrappers(response.text))
        if not sample.target:
            found.unlabelled += response is not None
            continue
        score = task.score_missing(sample) if response is None else task.score(sample, response)
        if score is not None or response is not None:
            found.scores.append(checked_score(task, sample.id, score, "score_missing" if response is None else "score"))
            worth = None if response is None else checked_worth(task, sample.id, task.lenient(sample, response.text))
            if worth is not None:
                found.lenient[sample.id] = worth
    return found


def _second_reading(
    measuring: Measuring, scores: Sequence[Score], lenient: Mapping[str, float], headline: float | None
) -> tuple[float | None, Moves | None]:
    """The headline under the task's second reading, and how many answers that moves; None for both if it has none.

    An answer that the second reading takes for less than the official rule does keeps its worth, so that the number is never
    below the official one; it is counted all the same.
    """
    if not lenient:
        return None, None
    read, right, wrong = [], 0, 0
    for score in scores:
        worth = score.value if score.rule in UNGRADED else lenient.get(score.sample, score.value)
        right += worth > score.value
        wrong += worth < score.value
        read.append(_as_if(measuring.task, score, worth) if worth > score.value else score)
    return _headline(measuring, read) if right else headline, Moves(right, wrong)


def _envelope(
    measuring: Measuring, scores: Sequence[Score], headline: float | None
) -> tuple[float | None, float | None] | None:
    """The headline with all unparsed answers wrong, and with all of them right, those of unreadable grades among them; None
    without a headline.
    """
    if headline is None or all(score.parsed for score in scores):
        return None if headline is None else (headline, headline)
    task = measuring.task
    wrong, right = ([score if score.parsed else _as_if(task, score, end) for score in scores] for end in (False, True))
    return _headline(measuring, wrong), _headline(measuring, right)


def _as_if(task: Task, score: Score, right: float) -> Score:
    again = checked_score(task, score.sample, task.with_outcome(score, right), "with_outcome")
    return replace(again, rule="as-if") if again.rule in UNGRADED else again


def _headline(measuring: Measuring, scores: Sequence[Score]) -> float | None:
    """The first metric alone; None if nothing was asked that it needs."""
    totals = Totals(add_tallies(measuring.tally(group) for group in group_scores(scores)))
    metric = measuring.metrics(totals)[0]
    return metric_value(measuring.task, metric, totals) if scores and metric.defined(totals) else None
