"""The difference of two runs in one metric, with all that is needed to judge it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mipha_eval.comparison.matched import Matched
from mipha_eval.stored_task import StoredTask

RESAMPLES = 10_000
ALPHA = 0.05


@dataclass(frozen=True)
class Difference:
    """How much higher the second run's value is than the first's, on the questions that both scored.

    Attributes:
        values: of the first run and the second.
        interval: at confidence 1 - alpha, by the paired bootstrap over clusters; None for fewer than two clusters.
        p: of the named test, two-sided, not corrected.
        standard_error: of the difference, clustered and paired; None for fewer than two clusters.
        effect_size: difference over the standard deviation of the clusters' differences (Cohen's d_z); None if none differs.
        detectable: the smallest true difference that would be found with 80 % power; None if no cluster differs.
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

    @property
    def value(self) -> float:
        return self.values[1] - self.values[0]


def compare_pair(
    first: StoredTask, second: StoredTask, metric: str, resamples: int = RESAMPLES, alpha: float = ALPHA
) -> Difference:
    """Compares two runs of a task. Ask `comparability.why_not` first whether they may be compared.

    Raises:
        UserError: they share no question, or do not both have the metric.
    """
    return difference(Matched.of([first, second]), metric, resamples, resamples, alpha)


def difference(matched: Matched, metric: str, resamples: int, draws: int, alpha: float) -> Difference:
    """The difference of two matched runs.

    Args:
        resamples: of the bootstrap.
        draws: of a permutation test whose ways cannot be listed.
    """
    from mipha_eval.stats.bootstrap import bootstrap_values, percentile_interval
    from mipha_eval.stats.paired_test import paired_test
    from mipha_eval.stats.power import detectable_difference
    from mipha_eval.stats.standard_error import difference_error

    panel = matched.panel(metric)
    first, second = (float(value) for value in panel.values())
    significance = paired_test(panel, draws)
    error = difference_error(panel)
    interval = None
    if panel.clusters > 1:
        resampled = bootstrap_values(panel, resamples)
        interval = percentile_interval(resampled[1] - resampled[0], 1 - alpha)
    return Difference(
        task=matched.tasks[0].label,
        metric=metric,
        unit=panel.metric.unit,
        values=(first, second),
        interval=interval,
        p=significance.p,
        test=significance.test,
        standard_error=error if panel.clusters > 1 else None,
        effect_size=(second - first) / (error * math.sqrt(panel.clusters)) if error > 0 else None,
        detectable=detectable_difference(error, alpha) if error > 0 else None,
        questions=matched.questions,
        clusters=panel.clusters,
    )


def tie_group(tasks: Sequence[StoredTask], metric: str, resamples: int = RESAMPLES, alpha: float = ALPHA) -> frozenset[int]:
    """Places of the best run (the highest value) and of those that cannot be told from it, on the questions that all scored.

    Every pair is tested, with Holm's correction over all of them.

    Raises:
        UserError: the runs share no question, or do not all have the metric.
    """
    from mipha_eval.stats.ties import tied_with_best

    pairs = len(tasks) * (len(tasks) - 1) // 2
    return tied_with_best(Matched.of(tasks).panel(metric), enough_draws(resamples, pairs, alpha), alpha)


def rank_intervals(tasks: Sequence[StoredTask], metric: str, resamples: int = RESAMPLES) -> list[tuple[int, int]]:
    """Best and worst rank of each run (1 is the highest value) in 95 % of resamples, on the questions that all scored.

    Raises:
        UserError: the runs share no question, or do not all have the metric.
    """
    from mipha_eval.stats.bootstrap import bootstrap_values
    from mipha_eval.stats.ranks import rank_intervals

    return rank_intervals(bootstrap_values(Matched.of(tasks).panel(metric), resamples))


def enough_draws(resamples: int, tests: int, alpha: float) -> int:
    """So many draws that the smallest p-value they allow is still significant when it is corrected for all tests."""
    return max(resamples, math.ceil(2 * tests / alpha))
