"""The interval of a run's value, right also near the ends of a metric's range and for few images; see docs/statistics.md.

Korn and Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated from survey
data", Survey Methodology 24 (1998): the exact interval of Clopper and Pearson, with the number of answers divided by the
design effect (by how much clusters make the variance larger than that of independent answers). Here for weighted sums of
shares, and with a design effect that few clusters cannot make too small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mipha_eval.core.metrics import ClusterCounts, Metric
from mipha_eval.stats.makeup import Makeup, NoIntervalError, Parts, make_up
from mipha_eval.stats.panel import Panel, counts_read

CONFIDENCE = 0.95
METHOD = (
    "Clopper-Pearson on the effective number of answers, clustered by image (Korn and Graubard 1998); "
    "Student's t for metrics that are no shares"
)
#: a design effect below 1, which graded answers have and few clusters feign, is averaged with 1 as if so many more clusters
#: had shown that; both numbers were chosen by bench/coverage.py
PRIOR = 8.0
#: what is assumed of the design effect makes the variance as certain as so many more clusters would
PRIOR_FREEDOM = 2.0
ROUNDING = 1e-9  # a part by which numbers may differ through rounding alone


@dataclass(frozen=True)
class Interval:
    """Bounds, or why there are none: ``of one image``."""

    bounds: tuple[float, float] | None
    why_not: str = ""


def run_intervals(found: ClusterCounts, metrics: Sequence[Metric]) -> dict[str, Interval]:
    """95 % intervals of metrics, by name."""
    names, table, intervals = list(found.totals), found.table(), {}
    for metric in metrics:
        read = counts_read(metric, names)
        counts = table[:, [names.index(name) for name in read]]
        intervals[metric.name] = run_interval(Panel(metric, read, counts[None], found.tallies(read)))
    return intervals


def run_interval(panel: Panel, run: int = 0, confidence: float = CONFIDENCE) -> Interval:
    """Of one of the panel's runs."""
    try:
        makeup = make_up(panel, run)
        bounds = _around(makeup, confidence) if makeup.parts is None else _of_shares(makeup, makeup.parts, confidence)
    except NoIntervalError as error:
        return Interval(None, str(error))
    least, most = panel.metric.range
    low, high = (min(max(bound, least), most) for bound in bounds)
    return Interval((min(low, makeup.value), max(high, makeup.value)))


def student(freedom: float, confidence: float) -> float:
    """The quantile of Student's t that leaves out (1 - confidence) / 2."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


def _around(makeup: Makeup, confidence: float) -> tuple[float, float]:
    error = math.sqrt(makeup.variance)
    if error <= ROUNDING * max(1.0, abs(makeup.value)):
        raise NoIntervalError("all images alike")
    reach = student(makeup.freedom, confidence) * error
    return makeup.value - reach, makeup.value + reach


def _of_shares(makeup: Makeup, parts: Parts, confidence: float) -> tuple[float, float]:
    """Clopper and Pearson's interval of as many independent answers as have the same variance.

    That number is another for either end: the lower has the variance of shares that are one wrong answer lower, the upper
    that of shares one right answer higher. So a small category that is all right widens the lower end alone.
    """
    from scipy.special import betaincinv

    units, value = parts.units, parts.value
    inflation = _design_effect(makeup, parts) * _for_few(makeup.freedom, float((units - 1).sum()), confidence)
    right = parts.rates * parts.wholes
    below = _effective(parts, right / (parts.wholes + 1)) / inflation
    above = _effective(parts, (right + parts.gains) / (parts.wholes + parts.gains)) / inflation
    tail = (1 - confidence) / 2
    low = float(betaincinv(value * below, (1 - value) * below + 1, tail)) if value > ROUNDING else 0.0
    high = float(betaincinv(value * above + 1, (1 - value) * above, 1 - tail)) if value < 1 - ROUNDING else 1.0
    return makeup.value - parts.span * (value - low), makeup.value + parts.span * (high - value)


def _effective(parts: Parts, rates: np.ndarray) -> float:
    """How many independent answers have the variance of the weighted sum if the shares are `rates`."""
    value = float(parts.weights @ rates)
    variance = float((parts.weights**2 * rates * (1 - rates) / parts.units).sum())
    return value * (1 - value) / variance if variance > 0 else float(parts.units.sum())


def _design_effect(makeup: Makeup, parts: Parts) -> float:
    """The variance over that of independent answers, as far as clusters can tell."""
    known = parts.clusters > 1
    spread = parts.weights**2 * parts.rates * (1 - parts.rates) / np.maximum(parts.units - 1, 1)
    independent = parts.span**2 * float(spread[known].sum())
    if independent <= (ROUNDING * parts.span) ** 2:
        return 1.0
    found = makeup.variance / independent
    return found if found >= 1 else (makeup.freedom * found + PRIOR) / (makeup.freedom + PRIOR)


def _for_few(freedom: float, independent: float, confidence: float) -> float:
    """By how much more the variance counts because few clusters tell it, and not so many independent answers."""
    freedom += PRIOR_FREEDOM
    if independent <= freedom:
        return 1.0
    return (student(freedom, confidence) / student(independent, confidence)) ** 2
