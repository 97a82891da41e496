"""From responses to a result: scores, metrics with intervals, and what stands beside them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mipha_eval.metrics import Totals, add_tallies, bootstrap_intervals, group_scores
from mipha_eval.task import NOT_JUDGED, Task
from mipha_eval.types import Response, Sample, Score


@dataclass(frozen=True)
class Result:
    """Scores of a task, and the object that ``result.json`` and ``score --json`` show.

    `summary` counts: n scored, missing (no answer), failed (an error in place of an answer), unparsed (nobody could say
    what was answered; scored by the official rule all the same).
    """

    scores: Sequence[Score]
    summary: Mapping[str, Any]

    @property
    def complete(self) -> bool:
        return not (self.summary["missing"] or self.summary["failed"] or NOT_JUDGED in self.summary["rules"])


def score_responses(task: Task, samples: Sequence[Sample], responses: Mapping[str, Response]) -> Result:
    """Scores what was answered. A sample that failed or is missing gets no score and is counted.

    Args:
        responses: by sample id.
    """
    scores = []
    failures: Counter[str] = Counter()
    missing = 0
    for sample in samples:
        response = responses.get(sample.id)
        if response is None:
            missing += 1
            counted = task.score_missing(sample)
            if counted is not None:
                scores.append(counted)
        elif response.error:
            failures[response.error] += 1
        else:
            scores.append(task.score(sample, response))
    summary = {
        "task": task.label,
        "version": task.version,
        "n": len(samples) - missing - failures.total(),
        "missing": missing,
        "unparsed": sum(not score.parsed for score in scores),
        "failed": failures.total(),
        "headline": task.metrics[0].name,
        **_numbers(task, scores),
        "units": {metric.name: metric.unit for metric in task.metrics},
        "failures": dict(failures.most_common(20)),
        "rules": dict(Counter(score.rule for score in scores)),
        "data": str(task.data),
        **task.notes(scores),
    }
    return Result(scores, summary)


def _numbers(task: Task, scores: Sequence[Score]) -> dict[str, dict[str, Any]]:
    """Metrics and intervals; a metric without anything to count is left out, not 0."""
    if not scores:
        return {"metrics": {}, "intervals": {}}
    tallies = [(group[0].cluster, task.tally(group)) for group in group_scores(scores)]
    totals = Totals(add_tallies(tally for _, tally in tallies))
    numbers = {metric.name: float(metric.formula(totals)) for metric in task.metrics if metric.defined(totals)}
    defined = [metric for metric in task.metrics if metric.name in numbers]
    intervals = bootstrap_intervals(tallies, defined)
    return {
        "metrics": {name: value for name, value in numbers.items() if math.isfinite(value)},
        "intervals": {name: list(interval) for name, interval in intervals.items()},
    }
