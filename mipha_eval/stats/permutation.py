"""The clustered sign-flip test: had the two runs changed places on some images, how large a difference would there be?

Under the null hypothesis that it is chance which of the two runs gave which answers to the questions about an image, each
of the 2^G ways of exchanging them on whole images is equally likely. For a mean this flips the signs of the images'
differences (Fisher, "The Design of Experiments", 1935); for any formula over sums it exchanges the two runs' counts.

The statistic is the difference over its standard error, both computed anew for every way. So the test is exact under that
hypothesis, and for many images also right where two runs differ in what they do but not in the metric (one says yes more
often, with the same F1), which a test of the bare difference is not (Chung and Romano, Annals of Statistics 41, 2013).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mipha_eval.stats.bootstrap import blocks
from mipha_eval.stats.kinds import Kinds
from mipha_eval.stats.panel import Panel
from mipha_eval.stats.standard_error import gradient

LISTED = 1 << 16  # so many ways are listed one by one rather than drawn
HELD = 1 << 16  # numbers of a block of ways: what fits a processor's cache takes half the time
CLOSE = 1e-9  # a part by which numbers may differ through rounding alone


@dataclass(frozen=True)
class Significance:
    """A two-sided p-value and the test that it is of."""

    p: float
    test: str


def sign_flip(pair: Panel, draws: int, seed: int = 0) -> Significance:
    """Tests the difference of two runs.

    Exactly where all ways can be listed; else by `draws`, and with b of these as extreme p is (b + 1) / (draws + 1).
    """
    exchange = _Exchange.of(pair)
    sizes = exchange.sizes[exchange.differ]
    observed = exchange.statistic(np.zeros((1, len(sizes))))[0] * (1 - CLOSE)
    if math.prod(size + 1 for size in sizes.tolist()) <= LISTED:
        ways, chances = _all_ways(sizes)
        extreme = [exchange.statistic(ways[block]) >= observed for block in blocks(len(ways), len(exchange.sizes), HELD)]
        return Significance(min(1.0, float(chances[np.concatenate(extreme)].sum())), "exact sign flip")
    found = sum(
        int((exchange.statistic(ways) >= observed).sum()) for ways in _drawn_ways(sizes, draws, len(exchange.sizes), seed)
    )
    return Significance((found + 1) / (draws + 1), f"sign flip, {draws:,} draws")


@dataclass(frozen=True)
class _Exchange:
    """Two runs' clusters by kind.

    Attributes:
        rows: the counts of a cluster of each kind [kinds, runs, names].
        sizes: how many clusters are of each kind.
        differ: whether the runs differ on clusters of that kind, so that exchanging them changes anything.
    """

    pair: Panel
    rows: np.ndarray
    sizes: np.ndarray
    differ: np.ndarray

    @classmethod
    def of(cls, pair: Panel) -> _Exchange:
        kinds = Kinds.of(pair.counts.transpose(1, 0, 2).reshape(pair.clusters, -1))
        rows = kinds.rows.reshape(len(kinds.rows), 2, -1)
        return cls(pair, rows, kinds.sizes, np.any(rows[:, 0] != rows[:, 1], axis=1))

    def statistic(self, ways: np.ndarray) -> np.ndarray:
        """The absolute difference over its standard error [ways], with so many clusters of each kind exchanged.

        Args:
            ways: [ways, kinds that differ].
        """
        exchanged = np.zeros((len(ways), len(self.sizes)))
        exchanged[:, self.differ] = ways
        moved = exchanged @ (self.rows[:, 1] - self.rows[:, 0])
        first, second = self.pair.counts.sum(axis=1)
        sums = np.stack([first + moved, second - moved])
        values = self.pair.values(sums)
        difference, error = np.abs(values[1] - values[0]), self._error(exchanged, gradient(self.pair, sums))
        rounding = CLOSE * max(1.0, float(np.abs(values).max()))
        certain = np.where(difference > rounding, np.inf, 0.0)  # where no cluster varies, any difference is infinitely far
        found: np.ndarray = np.divide(difference, error, out=certain, where=error > rounding)
        return found

    def _error(self, exchanged: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Standard errors of the differences [ways], where `slopes` [runs, ways, names] are the gradients of both runs."""
        (first, second), rows = slopes, self.rows
        kept = second @ rows[:, 1].T - first @ rows[:, 0].T
        turned = second @ rows[:, 0].T - first @ rows[:, 1].T
        remaining = self.sizes - exchanged
        clusters = self.sizes.sum()
        mean = (remaining * kept + exchanged * turned).sum(axis=1) / clusters
        squares = (remaining * kept**2 + exchanged * turned**2).sum(axis=1)
        found: np.ndarray = np.sqrt(np.maximum(squares - clusters * mean**2, 0) * clusters / max(clusters - 1, 1))
        return found


def _all_ways(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every number of exchanged clusters of each kind [ways, kinds], and its probability [ways]."""
    ways = np.array(list(itertools.product(*(range(size + 1) for size in sizes))), dtype=float)
    chances = [[math.comb(size, taken) / 2**size for taken in range(size + 1)] for size in sizes.tolist()]
    return ways, np.array([math.prod(combination) for combination in itertools.product(*chances)])


def _drawn_ways(sizes: np.ndarray, draws: int, width: int, seed: int) -> Iterator[np.ndarray]:
    """Numbers of exchanged clusters of each kind [ways, kinds], `draws` in all, each way as likely as any other."""
    generator = np.random.default_rng(seed)
    for block in blocks(draws, width, HELD):
        yield generator.binomial(sizes, 0.5, size=(block.stop - block.start, len(sizes))).astype(float)
