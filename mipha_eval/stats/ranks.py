"""Intervals of ranks instead of ranks."""

from __future__ import annotations

import numpy as np

from mipha_eval.stats.interval import CONFIDENCE


def rank_intervals(values: np.ndarray, confidence: float = CONFIDENCE) -> list[tuple[int, int]]:
    """For each run the ranks (1 is the highest value) that it has in the middle part of the resamples.

    Args:
        values: [runs, resamples]; runs that are equal in a resample share the better rank at one end and the worse at the
            other.
    """
    above = (values[None] > values[:, None]).sum(axis=1)
    level = (values[None] >= values[:, None]).sum(axis=1)
    tail = 50 * (1 - confidence)
    low = np.percentile(above + 1, tail, axis=1, method="inverted_cdf")
    high = np.percentile(level, 100 - tail, axis=1, method="inverted_cdf")
    return [(int(first), int(last)) for first, last in zip(low, high, strict=True)]
