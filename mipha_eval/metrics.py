"""Numbers from scores.

Every metric is a formula over sums. A task tallies each group of scores into named counts; totals of these counts are all
that a formula sees. So any metric, also one that is not a mean (F1, MME's sum), can be resampled by adding up whole
clusters, many resamples at a time.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


def group_scores(scores: Sequence[Score]) -> Iterator[list[Score]]:
    """Scores that are tallied together, in order of first appearance."""
    groups: dict[str, list[Score]] = {}
    for score in scores:
        if score.group:
            groups.setdefault(score.group, []).append(score)
    for score in scores:
        if not score.group:
            yield [score]
        elif score.group in groups:
            yield groups.pop(score.group)


def add_tallies(tallies: Iterable[Tally]) -> dict[str, float]:
    """Sums counts by name."""
    totals: dict[str, float] = {}
    for tally in tallies:
        for name, count in tally.items():
            totals[name] = totals.get(name, 0.0) + count
    return totals


class ClusterCounts:
    """Counts by cluster and name, added up as tallies come, so that a million tallies need not be kept."""

    def __init__(self) -> None:
        self.totals: dict[str, float] = {}
        self._clusters: dict[str, int] = {}
        self._names: dict[str, int] = {}
        # one entry for each count of each tally
        self._rows, self._columns, self._values = array("q"), array("q"), array("d")

    def add(self, cluster: str, tally: Tally) -> None:
        row = self._clusters.setdefault(cluster, len(self._clusters))
        for name, count in tally.items():
            self.totals[name] = self.totals.get(name, 0.0) + count
            self._rows.append(row)
            self._columns.append(self._names.setdefault(name, len(self._names)))
            self._values.append(count)

    def names(self) -> list[str]:
        """The names of the columns of `table`."""
        return list(self._names)

    def table(self) -> np.ndarray:
        """Sums [clusters, names]."""
        import numpy as np

        shape = len(self._clusters), len(self._names)
        places = np.asarray(self._rows) * shape[1] + np.asarray(self._columns)
        return np.bincount(places, np.asarray(self._values), shape[0] * shape[1]).reshape(shape)


def bootstrap_intervals(
    found: ClusterCounts, metrics: Sequence[Metric], resamples: int = RESAMPLES
) -> dict[str, tuple[float, float]]:
    """95 % percentile intervals by resampling whole clusters (images) with replacement, seed fixed.

    Returns:
        Metric name -> (low, high); empty where there are fewer than two clusters.
    """
    import numpy as np

    counts = found.table()
    names, clusters = found.names(), len(counts)
    if clusters < 2:
        return {}
    kind_of, kinds = _alike(counts)
    generator = np.random.default_rng(0)
    totals = np.empty((resamples, len(names)))
    for row in range(resamples):
        drawn = kind_of[generator.integers(clusters, size=clusters)]
        totals[row] = np.bincount(drawn, minlength=len(kinds)).astype(float) @ kinds
    sums = Totals({name: totals[:, column] for column, name in enumerate(names)})
    tail = 50 * (1 - CONFIDENCE)
    intervals = {}
    for metric in metrics:
        values = np.broadcast_to(np.asarray(metric.formula(sums), dtype=float), (resamples,))
        low, high = np.percentile(values, [tail, 100 - tail])
        intervals[metric.name] = (float(low), float(high))
    return intervals


def _alike(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The kind of each row, and the rows of every kind: a million images have few different counts to be added up."""
    import numpy as np

    kinds: dict[bytes, int] = {}
    kind_of = np.array([kinds.setdefault(row.tobytes(), len(kinds)) for row in counts], dtype=np.uint32)
    rows = np.frombuffer(b"".join(kinds), dtype=counts.dtype).reshape(len(kinds), -1)
    return kind_of.astype(np.min_scalar_type(len(kinds))), rows
