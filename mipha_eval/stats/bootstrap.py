"""Bootstrap over clusters: whole images are drawn with replacement, and the metric is computed anew from their sums.

Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 8 and 13; clusters are the units that are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mipha_eval.stats.kinds import Kinds
from mipha_eval.stats.makeup import shares_of
from mipha_eval.stats.panel import Panel

RESAMPLES = 2000
HELD = 1 << 20  # numbers of a block of resamples that are held at a time: 8 MB


def bootstrap_values(panel: Panel, resamples: int, seed: int = 0) -> np.ndarray:
    """The metric of every run [runs, resamples], of the same images for all runs in each resample.

    Where every image is of one category alone they are drawn within categories, so that no resample lacks one.
    """
    runs, clusters, names = panel.counts.shape
    table = panel.counts.transpose(1, 0, 2).reshape(clusters, runs * names)
    drawn = sum(resample_sums(table[own], resamples, seed + number) for number, own in enumerate(strata(panel)))
    return panel.values(np.asarray(drawn).reshape(resamples, runs, names).transpose(1, 0, 2))


def strata(panel: Panel) -> list[np.ndarray]:
    """Places of the clusters of each category, if every cluster is of one; else of all clusters."""
    counted = np.asarray(panel.counts.any(axis=0))  # in any of the runs
    names = [share.asked or [name for name, _ in share.whole] for share in shares_of(panel)]
    of = [counted[:, [name in own for name in panel.names]].any(axis=1) for own in names]
    if len(of) < 2 or not (np.sum(of, axis=0) == 1).all():
        return [np.arange(panel.clusters)]
    return [np.flatnonzero(own) for own in of if own.any()]


def resample_sums(counts: np.ndarray, resamples: int, seed: int = 0) -> np.ndarray:
    """Sums [resamples, names] of as many rows of `counts` [clusters, names] as there are, drawn with replacement."""
    kinds = Kinds.of(np.ascontiguousarray(counts))
    generator = np.random.default_rng(seed)
    sums = np.empty((resamples, counts.shape[1]))
    for block in blocks(resamples, len(kinds.rows)):
        sums[block] = _times_drawn(kinds, block.stop - block.start, generator) @ kinds.rows
    return sums


def blocks(resamples: int, width: int, held: int = HELD) -> Iterator[slice]:
    """Parts of the resamples whose rows of `width` numbers are not more than `held` numbers."""
    step = max(1, held // max(width, 1))
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
