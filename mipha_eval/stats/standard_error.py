"""Standard errors of clustered data by linearisation.

A metric f of sums T moves by about u_c = grad f(T) . x_c when cluster c, whose counts are x_c, counts once more. Of G
clusters, Var f(T) is then estimated by G / (G - 1) times the sum of (u_c - mean u)^2. For a mean of questions this is the
usual cluster-robust standard error (Liang and Zeger, 1986; Miller, arXiv:2411.00640); for other formulas it is the delta
method.
"""

from __future__ import annotations

import math

import numpy as np

from mipha_eval.stats.panel import Panel

STEP = 1e-4  # of each sum, for differences; their error is of the order of its square


def gradient(panel: Panel, sums: np.ndarray) -> np.ndarray:
    """How the metric changes with each count [..., names] at the given sums [..., names], by central differences.

    A sum that is 0 can only grow: counts are not negative.
    """
    slopes = np.empty(sums.shape)
    reach = np.maximum(np.abs(sums).max(axis=tuple(range(sums.ndim - 1))), 1.0)
    for place in range(sums.shape[-1]):
        step = STEP * np.where(sums[..., place] != 0, np.abs(sums[..., place]), reach[place])
        up, down = sums.copy(), sums.copy()
        up[..., place] += step
        down[..., place] -= np.where(sums[..., place] != 0, step, 0.0)
        slopes[..., place] = (panel.values(up) - panel.values(down)) / (up - down)[..., place]
    return slopes


def influences(panel: Panel) -> np.ndarray:
    """By how much each cluster moves each run's value [runs, clusters]."""
    found: np.ndarray = np.einsum("rcn,rn->rc", panel.counts, gradient(panel, panel.counts.sum(axis=1)))
    return found


def difference_error(pair: Panel) -> float:
    """Of the second run's value minus the first's, on the same clusters; NaN for fewer than two."""
    first, second = influences(pair)
    return _error(second - first)


def _error(influence: np.ndarray) -> float:
    clusters = len(influence)
    return math.sqrt(clusters * float(influence.var(ddof=1))) if clusters > 1 else math.nan
