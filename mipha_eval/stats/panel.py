"""What one metric reads of several runs over the same clusters, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mipha_eval.core.metrics import ClusterCounts, Metric, Number, Totals


@dataclass(frozen=True)
class Panel:
    """Counts of runs that answered the same questions.

    Attributes:
        names: of the counts that the metric reads, in alphabetical order.
        counts: [runs, clusters, names]; row c of every run is about the same image.
        tallies: of how many tallies the counts are sums; 0 if that is not known.
    """

    metric: Metric
    names: tuple[str, ...]
    counts: np.ndarray
    tallies: int = 0

    @classmethod
    def of(cls, runs: Sequence[ClusterCounts], metric: Metric) -> Panel:
        """Raises ValueError if the runs' clusters are not the same in the same order."""
        if any(run.clusters() != runs[0].clusters() for run in runs):
            raise ValueError("runs to be compared must have the same clusters in the same order")
        names = counts_read(metric, list(dict.fromkeys(name for run in runs for name in run.totals)))
        return cls(metric, names, np.stack([run.table(names) for run in runs]), min(run.tallies(names) for run in runs))

    @property
    def clusters(self) -> int:
        return int(self.counts.shape[1])

    def pair(self, first: int, second: int) -> Panel:
        """Two of the runs."""
        return Panel(self.metric, self.names, self.counts[[first, second]], self.tallies)

    def values(self, sums: np.ndarray | None = None) -> np.ndarray:
        """The metric [...] of sums [..., names]; of each run's own if none are given."""
        sums = self.counts.sum(axis=1) if sums is None else sums
        found: Number = self.metric.formula(Totals({name: sums[..., place] for place, name in enumerate(self.names)}))
        return np.broadcast_to(np.asarray(found, dtype=float), sums.shape[:-1])


def counts_read(metric: Metric, names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` that the metric's formula looks up."""
    totals = _Watched(dict.fromkeys(names, 1.0))
    metric.formula(totals)
    return tuple(sorted(totals.read.intersection(names)))


class _Watched(Totals):
    """Totals that note what is looked up."""

    def __init__(self, counts: dict[str, float]) -> None:
        super().__init__(counts)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Number:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str) -> Number:
        self.read.add(name)
        return super().get(name)

    def names(self) -> Sequence[str]:
        self.read.update(self._counts)
        return list(self._counts)
