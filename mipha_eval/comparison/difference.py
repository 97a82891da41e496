"""The difference of two runs in one metric, with all that is needed to judge it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mipha_eval.comparison.defaults import ALPHA, RESAMPLES
from mipha_eval.comparison.matched import Matched
from mipha_eval.judge.stored_task import StoredTask

ROUNDING = 1e-6  # part of a value below which a standard error is 0 but for rounding


@dataclass(frozen=True)
class Difference:
    """How much higher the second run's value is than the first's, on the questions that both scored.

    Attributes:
        values: of the first run and the second.
        interval: at confidence 1 - alpha, paired and clustered; None where nothing honest can be said.
        p: of the named test, two-sided, not corrected.
        standard_error: of the difference, clustered and paired; None for fewer than two clusters.
        effect_size: difference over the standard deviation of the clusters' differences (Cohen's d_z); None if that is 0.
        detectable: the smallest true difference that would be found with 80 % power; None if it would be 0.
        undefined: why there is none, by the name of what is None.
    """

    task: str
    metric: str
    unit: str
    values: tuple[float, float]
    interval: tuple[float, float] | None
    p: float
    test: str
    standard_error: float | None
    effect_size: float | None
    detectable: float | None
    questions: int
    clusters: int
    undefined: Mapping[str, str] = field(default_factory=dict)

    @property
    def value(self) -> float:
        return self.values[1] - self.values[0]


def difference(matched: Matched, metric: str, draws: int, alpha: float) -> Difference:
    """The difference of two matched runs.

    Args:
        draws: of a permutation test whose ways cannot be listed.
    """
    from mipha_eval.stats.paired_interval import paired_interval
    from mipha_eval.stats.paired_test import paired_test
    from mipha_eval.stats.power import detectable_difference
    from mipha_eval.stats.standard_error import difference_error

    panel = matched.panel(metric)
    first, second = (float(value) for value in panel.values())
    significance = paired_test(panel, draws)
    error = difference_error(panel)
    if error <= ROUNDING * max(1.0, abs(first), abs(second)):
        error = 0.0
    interval = paired_interval(panel, 1 - alpha)
    return Difference(
        task=matched.tasks[0].label,
        metric=metric,
        unit=panel.metric.unit,
        values=(first, second),
        interval=interval.bounds,
        p=significance.p,
        test=significance.test,
        standard_error=error if panel.clusters > 1 else None,
        effect_size=(second - first) / (error * math.sqrt(panel.clusters)) if error > 0 else None,
        detectable=detectable_difference(error, alpha) if error > 0 else None,
        questions=matched.questions,
        clusters=panel.clusters,
        undefined=_undefined(interval.why_not, error),
    )


def _undefined(interval: str, error: float) -> dict[str, str]:
    """Why a number is not there, by its name; of the standard error NaN is that of a single cluster."""
    reasons = {"interval": interval} if interval else {}
    if error > 0:
        return reasons
    why = "one image has no standard deviation" if math.isnan(error) else "the runs differ alike on every image"
    return {**reasons, "effect_size": why, "detectable": why}


def tie_group(tasks: Sequence[StoredTask], metric: str, resamples: int = RESAMPLES, alpha: float = ALPHA) -> frozenset[int]:
    """Places of the best run (the highest value) and of those that cannot be told from it, on the questions that all scored.

    Every pair is tested, with Holm's correction over all of them.

    Raises:
        UserError: the runs share no question, or do not all have the metric.
    """
    from mipha_eval.stats.ties import tied_with_best

    pairs = len(tasks) * (len(tasks) - 1) // 2
    return tied_with_best(Matched.of(tasks).panel(metric), enough_draws(resamples, pairs, alpha), alpha)


def enough_draws(resamples: int, tests: int, alpha: float) -> int:
    """So many draws that the smallest p-value they allow is still significant when it is corrected for all tests."""
    return max(resamples, math.ceil(2 * tests / alpha))
