"""Metrics of scores, under the names that say who graded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.metrics import ClusterCounts, Metric, Tally, Totals, group_scores, share
from mipha_eval.core.plugins.checks.questions import OPINIONS
from mipha_eval.core.plugins.checks.scores import (
    checked_metrics,
    checked_totals,
    metric_value,
    not_countable,
    stand_in_of,
)
from mipha_eval.core.provenance import JUDGE, RULE, Provenance
from mipha_eval.core.task import UNGRADED, Task
from mipha_eval.core.types import Score
from mipha_eval.stats.interval import run_intervals

#: the metric of a judge's second opinions
SECOND_OPINION = "correct"


@dataclass(frozen=True)
class Measuring:
    """A task's metrics, under the names that say who graded.

    A judge that grades for the task stands in every metric's name, and so does a rule that stands in for one
    (`JudgedTask.stand_in`). A judge that gives second opinions adds one metric.
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
        if self.judge and not isinstance(self.task, JudgedTask):
            return [*own, share(SECOND_OPINION, OPINIONS).made(JUDGE, self.judge)]
        if self.judge and isinstance(self.task, JudgedTask):
            return [metric.made(JUDGE, self.judge) for metric in own if metric.name not in self.task.without_judge]
        rule = stand_in_of(self.task) if isinstance(self.task, JudgedTask) else ""
        return [metric.made(RULE, rule) for metric in own] if rule else own


@dataclass(frozen=True)
class Numbers:
    """What a result says of its metrics, by their names; see `ResultRecord`."""

    headline: str
    units: Mapping[str, str]
    provenance: Mapping[str, Provenance]
    metrics: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    interval_notes: Mapping[str, str] = field(default_factory=dict)


def find_numbers(measuring: Measuring, scores: Sequence[Score]) -> Numbers:
    """All metrics of scores with their intervals. A metric without anything to count is left out, not 0."""
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
    names = Numbers(
        headline=measures[0].name,
        units={metric.name: metric.unit for metric in measures},
        provenance={metric.name: metric.provenance for metric in measures if metric.provenance},
    )
    if not scores:
        return names
    values = {metric.name: metric_value(measuring.task, metric, totals) for metric in measures if metric.defined(totals)}
    intervals = run_intervals(counts, [metric for metric in measures if metric.name in values])
    return replace(
        names,
        metrics=values,
        intervals={name: found.bounds for name, found in intervals.items() if found.bounds is not None},
        interval_notes={name: found.why_not for name, found in intervals.items() if found.bounds is None},
    )
