"""Numbers from scores.

Every metric is a formula over sums. A task tallies each group of scores into named counts; totals of these counts are all
that a formula sees. So any metric, also one that is not a mean (F1, MME's sum), can be resampled by adding up whole
clusters, many resamples at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mipha_eval.types import Score

if TYPE_CHECKING:
    import numpy as np

Tally = Mapping[str, float]
Number = Any  # a float, or an array with one entry a resample

RESAMPLES = 2000
CONFIDENCE = 0.95


class Totals:
    """Sums of counts by name; a name that never occurred is 0."""

    def __init__(self, counts: Mapping[str, Number]) -> None:
        self._counts = counts

    def __getitem__(self, name: str) -> Number:
        return self._counts.get(name, 0.0)

    def ratio(self, part: Number, whole: Number) -> Number:
        """part / whole, and 0 where the whole is 0."""
        if isinstance(whole, float | int):
            return part / whole if whole else 0.0
        return part / whole.clip(min=1e-300) * (whole > 0)

    def names(self) -> Iterable[str]:
        return self._counts.keys()


@dataclass(frozen=True)
class Metric:
    """A named number.

    Attributes:
        formula: must work on floats and on arrays of resamples alike.
        unit: ``%`` or ``points``.
        needs: beginnings of names of counts; without any such count the metric is not defined (no question was asked). None
            for a metric that needs no particular one.
    """

    name: str
    formula: Callable[[Totals], Number]
    unit: str = "%"
    needs: tuple[str, ...] | None = None

    def defined(self, totals: Totals) -> bool:
        return any(self.needs is None or name.startswith(self.needs) for name in totals.names())


def share(name: str, part: str = "") -> Metric:
    """Percentage of right among asked, of all samples or of a part (a category)."""
    prefix = f"{part}/" if part else ""

    def formula(totals: Totals) -> Number:
        return 100 * totals.ratio(totals[f"{prefix}right"], totals[f"{prefix}asked"])

    return Metric(name, formula, needs=(f"{prefix}asked",))


def shares_of_parts(totals: Totals, kinds: tuple[str, ...]) -> list[Metric]:
    """A share for each part that was counted under a name like ``kind/part``, in alphabetical order."""
    asked = [name.removesuffix("/asked") for name in totals.names() if name.endswith("/asked")]
    return [share(part, part) for part in sorted(asked) if part.partition("/")[0] in kinds]


def group_scores(scores: Iterable[Score]) -> list[list[Score]]:
    """Scores that are tallied together, in order of first appearance."""
    groups: dict[str, list[Score]] = {}
    for score in scores:
        groups.setdefault(score.group or score.sample, []).append(score)
    return list(groups.values())


def add_tallies(tallies: Iterable[Tally]) -> dict[str, float]:
    """Sums counts by name."""
    totals: dict[str, float] = {}
    for tally in tallies:
        for name, count in tally.items():
            totals[name] = totals.get(name, 0.0) + count
    return totals


def cluster_counts(tallies: Sequence[tuple[str, Tally]]) -> tuple[list[str], np.ndarray]:
    """Sums (cluster, tally) pairs into names and an array [clusters, names]."""
    import numpy as np

    clusters: dict[str, int] = {}
    names: dict[str, int] = {}
    for cluster, tally in tallies:
        clusters.setdefault(cluster, len(clusters))
        for name in tally:
            names.setdefault(name, len(names))
    counts = np.zeros((len(clusters), len(names)))
    for cluster, tally in tallies:
        for name, count in tally.items():
            counts[clusters[cluster], names[name]] += count
    return list(names), counts


def bootstrap_intervals(
    tallies: Sequence[tuple[str, Tally]], metrics: Sequence[Metric], resamples: int = RESAMPLES
) -> dict[str, tuple[float, float]]:
    """95 % percentile intervals by resampling whole clusters (images) with replacement, seed fixed.

    Args:
        tallies: (cluster, counts) of each group of scores.

    Returns:
        Metric name -> (low, high); empty where there are fewer than two clusters.
    """
    import numpy as np

    names, counts = cluster_counts(tallies)
    clusters = len(counts)
    if clusters < 2:
        return {}
    generator = np.random.default_rng(0)
    totals = np.empty((resamples, len(names)))
    for row in range(resamples):
        drawn = np.bincount(generator.integers(clusters, size=clusters), minlength=clusters)
        totals[row] = drawn.astype(float) @ counts
    sums = Totals({name: totals[:, column] for column, name in enumerate(names)})
    tail = 50 * (1 - CONFIDENCE)
    intervals = {}
    for metric in metrics:
        values = np.broadcast_to(np.asarray(metric.formula(sums), dtype=float), (resamples,))
        low, high = np.percentile(values, [tail, 100 - tail])
        intervals[metric.name] = (float(low), float(high))
    return intervals
