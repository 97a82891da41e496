"""Standard errors of clustered data by linearisation.

A metric f of sums T moves by about u_c when cluster c counts a little more: u_c = d f(T + t x_c) / dt at t = 0, where x_c
are the cluster's counts. Of G clusters, Var f(T) is then estimated by G / (G - 1) times the sum of (u_c - mean u)^2. For a mean
of questions this is the usual cluster-robust standard error (Liang and Zeger, 1986; Miller, "Adding Error Bars to Evals",
arXiv:2411.00640); for other formulas it is the delta method, also called the infinitesimal jackknife (Jaeckel, 1972).
"""

from __future__ import annotations

import math

import numpy as np

from mipha_eval.stats.panel import Panel

STEP = 1e-4  # by how much a cluster moves the total of its rarest count; the error of central differences is its square


def influences(panel: Panel) -> np.ndarray:
    """By how much each cluster moves each run's value [runs, clusters]."""
    sums = panel.counts.sum(axis=1, keepdims=True)
    shares = np.divide(np.abs(panel.counts), np.abs(sums), out=np.zeros_like(panel.counts), where=sums != 0)
    largest = shares.max(axis=2, initial=0.0, keepdims=True)
    steps = np.divide(STEP, largest, out=np.ones_like(largest), where=largest > 0)
    up, down = (panel.values(sums + sign * steps * panel.counts) for sign in (1, -1))
    found: np.ndarray = (up - down) / (2 * steps[..., 0])
    return found


def standard_errors(panel: Panel) -> list[float]:
    """Of every run's value; NaN for fewer than two clusters."""
    return [_error(own) for own in influences(panel)]


def difference_error(pair: Panel) -> float:
    """Of the second run's value minus the first's, on the same clusters; NaN for fewer than two."""
    first, second = influences(pair)
    return _error(second - first)


def _error(influence: np.ndarray) -> float:
    clusters = len(influence)
    return math.sqrt(clusters * float(influence.var(ddof=1))) if clusters > 1 else math.nan
