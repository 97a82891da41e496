"""Bootstrap over clusters: whole images are drawn with replacement, and the metric is computed anew from their sums.

Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 8 and 13; clusters are the units that are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mipha_eval.metrics import ClusterCounts, Metric, Totals
from mipha_eval.stats.kinds import Kinds
from mipha_eval.stats.panel import Panel

RESAMPLES = 2000
CONFIDENCE = 0.95
HELD = 1 << 20  # numbers of a block of resamples that are held at a time: 8 MB


def bootstrap_intervals(
    found: ClusterCounts, metrics: Sequence[Metric], resamples: int = RESAMPLES
) -> dict[str, tuple[float, float]]:
    """95 % percentile intervals of metrics, seed fixed.

    Returns:
        Metric name -> (low, high); empty where there are fewer than two clusters.
    """
    counts = found.table()
    if len(counts) < 2:
        return {}
    drawn = resample_sums(counts, resamples)
    sums = Totals({name: drawn[:, column] for column, name in enumerate(found.totals)})
    values = {metric.name: np.broadcast_to(metric.formula(sums), (resamples,)) for metric in metrics}
    return {name: percentile_interval(value) for name, value in values.items()}


def bootstrap_values(panel: Panel, resamples: int, seed: int = 0) -> np.ndarray:
    """The metric of every run [runs, resamples], of the same images for all runs in each resample."""
    runs, clusters, names = panel.counts.shape
    drawn = resample_sums(panel.counts.transpose(1, 0, 2).reshape(clusters, runs * names), resamples, seed)
    return panel.values(drawn.reshape(resamples, runs, names).transpose(1, 0, 2))


def percentile_interval(values: np.ndarray, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The middle part of resampled values."""
    tail = 50 * (1 - confidence)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def resample_sums(counts: np.ndarray, resamples: int, seed: int = 0) -> np.ndarray:
    """Sums [resamples, names] of as many rows of `counts` [clusters, names] as there are, drawn with replacement."""
    kinds = Kinds.of(np.ascontiguousarray(counts))
    generator = np.random.default_rng(seed)
    sums = np.empty((resamples, counts.shape[1]))
    for block in blocks(resamples, len(kinds.rows)):
        sums[block] = _times_drawn(kinds, block.stop - block.start, generator) @ kinds.rows
    return sums


def blocks(resamples: int, width: int) -> Iterator[slice]:
    """Parts of the resamples whose rows of `width` numbers fit into memory."""
    step = max(1, HELD // max(width, 1))
    for start in range(0, resamples, step):
        yield slice(start, min(start + step, resamples))


def _times_drawn(kinds: Kinds, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """How often a cluster of each kind is drawn [resamples, kinds]."""
    clusters, count = len(kinds.kind_of), len(kinds.rows)
    if 8 * count < clusters:  # the same distribution, without drawing every cluster
        return generator.multinomial(clusters, kinds.sizes / clusters, size=resamples).astype(float)
    times = np.empty((resamples, count))
    for row in times:
        row[:] = np.bincount(kinds.kind_of[generator.integers(clusters, size=clusters)], minlength=count)
    return times
