"""The clustered sign-flip test: had the two runs changed places on some images, how large a difference would there be?

Under the null hypothesis that it is chance which of the two runs gave which answers to the questions about an image, each
of the 2^G ways of exchanging them on whole images is equally likely. For a mean this flips the signs of the images'
differences (Fisher, "The Design of Experiments", 1935); for any formula over sums it exchanges the two runs' counts.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from mipha_eval.stats.bootstrap import blocks
from mipha_eval.stats.kinds import Kinds
from mipha_eval.stats.panel import Panel

LISTED = 1 << 16  # so many ways are listed one by one rather than drawn
CLOSE = 1e-9  # differences that are equal but for rounding


@dataclass(frozen=True)
class Significance:
    """A two-sided p-value and the test that it is of."""

    p: float
    test: str


def sign_flip(pair: Panel, draws: int, seed: int = 0) -> Significance:
    """Tests the difference of two runs.

    Exactly where all ways can be listed; else by `draws`, and with b of these as extreme p is (b + 1) / (draws + 1).
    """
    apart = pair.counts[1] - pair.counts[0]
    kinds = Kinds.of(apart[np.any(apart != 0, axis=1)])
    observed = abs(np.subtract(*pair.values()))
    limit = observed - CLOSE * max(1.0, float(np.abs(pair.values()).max()))
    sums = pair.counts.sum(axis=1)

    def extreme(exchanged: np.ndarray) -> np.ndarray:
        """Whether the difference is as large as the observed one if so many of each kind are exchanged [ways, kinds]."""
        moved = exchanged @ kinds.rows
        found: np.ndarray = np.abs(pair.values(sums[0] + moved) - pair.values(sums[1] - moved)) >= limit
        return found

    sizes = kinds.sizes
    if math.prod(size + 1 for size in sizes.tolist()) <= LISTED:
        ways, chances = _all_ways(sizes)
        return Significance(min(1.0, float(chances[extreme(ways)].sum())), "exact sign flip")
    generator = np.random.default_rng(seed)
    drawn = (
        generator.binomial(sizes, 0.5, size=(block.stop - block.start, len(sizes))) for block in blocks(draws, len(sizes))
    )
    found = sum(int(extreme(ways.astype(float)).sum()) for ways in drawn)
    return Significance((found + 1) / (draws + 1), f"sign flip, {draws:,} draws")


def _all_ways(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every number of exchanged clusters of each kind [ways, kinds], and its probability [ways]."""
    ways = np.array(list(itertools.product(*(range(size + 1) for size in sizes))), dtype=float).reshape(-1, len(sizes))
    chances = [[math.comb(size, taken) / 2**size for taken in range(size + 1)] for size in sizes.tolist()]
    return ways, np.array([math.prod(combination) for combination in itertools.product(*chances)])
