"""From responses to a result: scores, metrics with intervals, and what stands beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from mipha_eval.core.metrics import ClusterCounts, Metric, Tally, Totals, add_tallies, group_scores, share
from mipha_eval.core.plugins.checks.questions import OPINIONS
from mipha_eval.core.plugins.checks.scores import (
    checked_metrics,
    checked_notes,
    checked_score,
    checked_scores,
    checked_totals,
    checked_worth,
    metric_value,
    not_countable,
    stand_in_of,
)
from mipha_eval.core.provenance import JUDGE, RULE
from mipha_eval.core.task import JUDGE_FAILED, UNGRADED, Task
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.scoring.answers.wrapping import wrappers
from mipha_eval.scoring.certificate import certificate_note
from mipha_eval.scoring.gaps import gaps
from mipha_eval.scoring.judging.ungraded import without_judge
from mipha_eval.scoring.probability import summarize_beliefs
from mipha_eval.stats.interval import METHOD, run_intervals

#: the metric of a judge's second opinions
SECOND_OPINION = "correct"

#: fields of results that are written by whoever has a task scored, and that no task's notes may bring
ADDED = (
    *("model", "total", "limited", "demo", "blind", "annotations", "left_out"),
    *("seconds", "timed", "generated", "equivalence", "unverified", "undecoded"),
)


@dataclass(frozen=True)
class Result:
    """Scores of a task, and the object that ``result.json`` and ``score --json`` show.

    `summary` counts: n scored, or still to be judged (not those that a judge was asked about and has no grade for),
    unlabelled (answered, but the labels are not public), missing (no answer), failed (an error in place of an answer),
    unparsed (answered, but nobody could say what; scored by the official rule all the same, but for unreadable grades).
    """

    scores: Sequence[Score]
    summary: Mapping[str, Any]

    @property
    def complete(self) -> bool:
        return is_complete(self.summary)


def is_complete(summary: Mapping[str, Any]) -> bool:
    """Whether a result lacks nothing: every question is answered, read and, where a judge was asked, graded."""
    judge = summary.get("judge") or {}
    ungraded = any(judge.get(name) for name in ("pending", "failed", "unreadable"))
    return not gaps(summary) and not ungraded


class Grades(Protocol):
    """A judge's verdicts on a task's answers; see `judge.judged.Judged`."""

    @property
    def name(self) -> str:
        """The judge's."""

    def regrade(
        self, task: Task, samples: Mapping[str, Sample], responses: Mapping[str, Response], scores: Sequence[Score]
    ) -> tuple[list[Score], dict[str, Any]]:
        """The scores that the verdicts come to, in the same order, and what a result says of the judge."""


def score_responses(
    task: Task, samples: Sequence[Sample], responses: Mapping[str, Response], judged: Grades | None = None
) -> Result:
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
    failed, ungraded = found.failures.total(), sum(score.rule == JUDGE_FAILED for score in scores)
    measuring = Measuring(task, judged.name if judged else "")
    numbers = _numbers(measuring, scores)
    headline, units, provenance = (numbers.pop(name) for name in ("headline", "units", "provenance"))
    summary = {
        "task": task.label,
        "version": task.version,
        "n": len(samples) - found.missing - failed - found.unlabelled - ungraded,
        "unlabelled": found.unlabelled,
        "for_server": task.protocol in task.uploads,
        "missing": found.missing,
        "unparsed": sum(unread(score) and score.sample in responses for score in scores),
        "failed": failed,
        "headline": headline,
        **numbers,
        "envelope": _envelope(measuring, scores, numbers["metrics"].get(headline)),
        **_second_reading(measuring, scores, found.lenient),
        "wrapped": dict(found.wrapped.most_common(20)),
        "units": units,
        "provenance": provenance,
        "probabilities": summarize_beliefs(task, samples, responses),
        "failures": dict(found.failures.most_common(20)),
        "odd_labels": dict(found.odd_labels),
        "rules": dict(Counter(score.rule for score in scores)),
        "judge": judge,
        "data": str(task.data),
        "annotations": task.data.annotations and task.data.annotations.name,
        "expected_rows": list(task.rows.get(task.protocol, ())),
        "certificate": certificate_note(task, headline),
    }
    return Result(scores, {**summary, **checked_notes(task, task.notes(scores), {*summary, *ADDED})})


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
        odd = task.odd_label(sample) if sample.target else ""
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
        if score is not None:
            found.scores.append(checked_score(task, sample.id, score, "score_missing" if response is None else "score"))
            worth = None if response is None else checked_worth(task, sample.id, task.lenient(sample, response.text))
            if worth is not None:
                found.lenient[sample.id] = worth
    return found


def _second_reading(measuring: Measuring, scores: Sequence[Score], lenient: Mapping[str, float]) -> dict[str, Any]:
    """The headline under the task's second reading, and how many answers that moves; None for both if it has none.

    An answer that the second reading takes for less than the official rule does keeps its worth, so that the number is never
    below the official one; it is counted all the same.
    """
    if not lenient:
        return {"lenient": None, "lenient_moves": None}
    read, moves = [], {"to_right": 0, "to_wrong": 0}
    for score in scores:
        worth = score.value if score.rule in UNGRADED else lenient.get(score.sample, score.value)
        moves["to_right"] += worth > score.value
        moves["to_wrong"] += worth < score.value
        read.append(_as_if(measuring.task, score, worth) if worth > score.value else score)
    return {"lenient": _headline(measuring, read), "lenient_moves": moves}


@dataclass(frozen=True)
class Measuring:
    """A task's metrics, under the names that say who graded.

    A judge that grades for the task stands in every metric's name, and so does a rule that stands in for one
    (`Task.stand_in`). A judge that gives second opinions adds one metric.
    """

    task: Task
    judge: str = ""

    def tally(self, group: Sequence[Score]) -> Tally:
        """Counts of a group of scores; none if a judge has yet to grade one of it."""
        if any(score.rule in UNGRADED for score in group):
            return {}
        counts = self.task.tally(group)
        if not isinstance(counts, Mapping):
            raise not_countable(self.task, counts)
        opinions = [score.judged for score in group if score.judged is not None]
        if self.judge and opinions:
            counts = {**counts, f"{OPINIONS}/right": sum(opinions), f"{OPINIONS}/asked": float(len(opinions))}
        return counts

    def metrics(self, totals: Totals) -> list[Metric]:
        """The first is the headline."""
        own = checked_metrics(self.task, self.task.metrics_for(totals))
        if self.judge and not self.task.judged:
            return [*own, share(SECOND_OPINION, OPINIONS).made(JUDGE, self.judge)]
        if self.judge:
            return [metric.made(JUDGE, self.judge) for metric in own if metric.name not in self.task.without_judge]
        rule = stand_in_of(self.task)
        return [metric.made(RULE, rule) for metric in own] if rule else own


def _envelope(measuring: Measuring, scores: Sequence[Score], headline: float | None) -> list[float | None] | None:
    """The headline with all unparsed answers wrong, and with all of them right, those of unreadable grades among them; None
    without a headline.
    """
    if headline is None or all(score.parsed for score in scores):
        return None if headline is None else [headline, headline]
    task = measuring.task
    extremes = ([score if score.parsed else _as_if(task, score, right) for score in scores] for right in (False, True))
    return [_headline(measuring, extreme) for extreme in extremes]


def _as_if(task: Task, score: Score, right: float) -> Score:
    again = checked_score(task, score.sample, task.with_outcome(score, right), "with_outcome")
    return replace(again, rule="as-if") if again.rule in UNGRADED else again


def _headline(measuring: Measuring, scores: Sequence[Score]) -> float | None:
    """The first metric alone; None if nothing was asked that it needs."""
    totals = Totals(add_tallies(measuring.tally(group) for group in group_scores(scores)))
    metric = measuring.metrics(totals)[0]
    return metric_value(measuring.task, metric, totals) if scores and metric.defined(totals) else None


def _numbers(measuring: Measuring, scores: Sequence[Score]) -> dict[str, Any]:
    """The headline's name, and units, metrics and intervals; a metric without anything to count is left out, not 0."""
    counts = ClusterCounts()
    for group in group_scores(scores):
        tally = measuring.tally(group)
        try:
            counts.add(group[0].cluster, tally)
        except (TypeError, ValueError) as error:
            raise not_countable(measuring.task, tally) from error
    checked_totals(measuring.task, counts.totals)
    totals = Totals(counts.totals)
    measures = measuring.metrics(totals)
    names = {
        "headline": measures[0].name,
        "units": {metric.name: metric.unit for metric in measures},
        "provenance": {metric.name: asdict(metric.provenance) for metric in measures if metric.provenance},
    }
    if not scores:
        return {**names, "metrics": {}, "intervals": {}, "interval_notes": {}, "interval_method": METHOD}
    numbers = {metric.name: metric_value(measuring.task, metric, totals) for metric in measures if metric.defined(totals)}
    intervals = run_intervals(counts, [metric for metric in measures if metric.name in numbers])
    return {
        **names,
        "metrics": numbers,
        "intervals": {name: list(found.bounds) for name, found in intervals.items() if found.bounds is not None},
        "interval_notes": {name: found.why_not for name, found in intervals.items() if found.bounds is None},
        "interval_method": METHOD,
    }
