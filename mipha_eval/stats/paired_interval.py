"""The interval of the difference of two runs on the same clusters.

Student's t around the difference, with the variance of what clusters move it by. Where two runs seldom differ that variance
says little: that no answer differed among n is also likely if 3.7 in n do. So it is made larger by that of z^2 answers
which only one of the runs has right, as Agresti and Coull add z^2 answers to a share (The American Statistician 52, 1998).
"""

from __future__ import annotations

import math

from mipha_eval.stats.interval import CONFIDENCE, ROUNDING, Interval, student
from mipha_eval.stats.makeup import Makeup, NoIntervalError, make_up
from mipha_eval.stats.panel import Panel


def paired_interval(pair: Panel, confidence: float = CONFIDENCE) -> Interval:
    """Of the second run's value minus the first's.

    There is none of so few clusters that no test could call any difference significant: the sign flip has 2^G ways, two of
    which are the most extreme.
    """
    clusters = int(pair.counts.any(axis=(0, 2)).sum())
    if 2.0 ** (1 - clusters) > 1 - confidence:
        return Interval(None, f"of {clusters} {'image' if clusters == 1 else 'images'}, too few to tell")
    try:
        first, second = make_up(pair, 0), make_up(pair, 1)
        reach = _reach(first, second, confidence)
    except NoIntervalError as error:
        return Interval(None, str(error))
    least, most = pair.metric.range
    difference, widest = second.value - first.value, most - least
    return Interval((max(difference - reach, -widest), min(difference + reach, widest)))


def _reach(first: Makeup, second: Makeup, confidence: float) -> float:
    differences = second.moves - first.moves
    answer = max(_one_answer(first), _one_answer(second))
    likely = student(math.inf, confidence)
    error = math.sqrt(float((differences**2).sum()) + (likely * answer) ** 2)
    freedom = min(first.freedom, second.freedom)
    if error <= ROUNDING * max(1.0, abs(first.value), abs(second.value)):
        raise NoIntervalError("all images alike")
    if freedom < 1 - ROUNDING:
        raise NoIntervalError("of one image in every category")
    return student(freedom, confidence) * error


def _one_answer(makeup: Makeup) -> float:
    """By how much one answer moves the value, in the metric's unit: a mean over shares by their weights; 0 if unknown."""
    parts = makeup.parts
    return 0.0 if parts is None else parts.span * float((parts.weights**2 / parts.units).sum())
