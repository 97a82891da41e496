"""How much each document moves a number that another suite's code computes of all of them.

Such a number is no formula over sums that is known. Its code is run again on the documents without those of some pictures
(the delete-a-group jackknife: Shao and Wu, "A General Theory for Jackknife Variance Estimation", Annals of Statistics 17,
1989). Nothing is drawn twice, which code that wants pairs, or each id once, would not take.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

#: documents that are looked at in all leave-outs together
WORK = 4_000_000
FEWEST_GROUPS, MOST_GROUPS = 40, 1000
BITS = 30  # of a move; so that a million of them add up without rounding
HIGH_BITS = 26  # of the first part of a number
TINY = 1e-200  # below it there are no such parts


class NoMovesError(ValueError):
    """Why a number's code says nothing of parts of the documents."""


def moves(value: float, clusters: Sequence[str], without: Callable[[Sequence[int]], float]) -> list[float]:
    """What each document adds to the number, as it would to a mean: they sum to 0, exactly, in any order.

    Args:
        clusters: of each document, what makes it depend on others, such as its picture.
        without: the number of the documents at these places alone.

    Raises:
        NoMovesError: the code fails, or gives no number, where some pictures are missing; or there is one picture.
    """
    places: dict[str, list[int]] = {}
    for place, cluster in enumerate(clusters):
        places.setdefault(cluster, []).append(place)
    groups = _groups(list(places), len(clusters))
    if len(groups) < 2:
        raise NoMovesError("of one image")
    found = [0.0] * len(clusters)
    for group in groups:
        out = {place for cluster in group for place in places[cluster]}
        rest = [place for place in range(len(clusters)) if place not in out]
        each = (value - _number(without, rest)) * len(rest) / len(out)
        for place in out:
            # pictures that are left out together count as so many that are each as far off
            found[place] = each * math.sqrt(len(group))
    return _adding_up(found)


def _groups(clusters: list[str], documents: int) -> list[list[str]]:
    """Pictures that are left out together: one by one, unless that would take too long."""
    most = min(MOST_GROUPS, max(FEWEST_GROUPS, WORK // max(documents, 1)))
    if len(clusters) <= most:
        return [[cluster] for cluster in clusters]
    drawn = random.Random(0).sample(clusters, len(clusters))
    return [drawn[start::most] for start in range(most)]


def _number(without: Callable[[Sequence[int]], float], places: Sequence[int]) -> float:
    try:
        value = without(places)
    except Exception as error:  # anybody's code
        raise NoMovesError(f"its code fails on a part of the answers: {type(error).__name__}") from error
    if not math.isfinite(value):
        raise NoMovesError("its code gives no number of a part of the answers")
    return value


def _adding_up(found: list[float]) -> list[float]:
    """The same as multiples of a power of two, less their mean, so that sums of them are exact."""
    mean = math.fsum(found) / len(found)
    centred = [each - mean for each in found]
    most = max(map(abs, centred))
    if most == 0:
        return [0.0] * len(found)
    step = 2.0 ** (math.frexp(most)[1] - BITS)
    counts = [round(each / step) for each in centred]
    rest, size = sum(counts), len(counts)
    for place in range(size):
        share = rest * (place + 1) // size - rest * place // size
        counts[place] -= share
    return [count * step for count in counts]


def halves(value: float) -> tuple[float, float]:
    """Two numbers whose sum is `value`, exactly, each so short that a million times it is exact, too."""
    if abs(value) < TINY:
        return value, 0.0
    step = 2.0 ** (math.frexp(value)[1] - HIGH_BITS)
    high = round(value / step) * step
    return high, value - high
