"""What a metric is made of in the eyes of an interval: how clusters move it, and the shares that it is a sum of.

Any formula over sums f(T) moves by about u_c = grad f(T) . x_c with each cluster (see `standard_error`). That is all that is
known of most. Near the ends of its range a share needs more: where every answer is right no cluster moves it, and yet it
could have been another. There it matters of how many answers it is a share. F1, a mean of categories and MME's sum of
points are weighted sums of shares r_k = A_k / B_k. Their weights w_k follow from the formula: grad f = sum w_k grad r_k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mipha_eval.core.metrics import Share
from mipha_eval.stats.panel import Panel

STEP = 1e-4  # of each sum, for differences to both sides; their error is of the order of its square
SHARES = ("%", "of 1")  # units of what lies between bounds as a share does
FIRST_STEP = 1e-6  # from a sum that is 0, as a part of the largest; the error is of its order
FLAT = 1e-3  # of the metric's range: so little span has a formula only where its slopes say nothing, as a square's at 0
LEFT = 0.05  # part of a gradient that shares may leave unexplained, as where an image of MME lacks an answer


class NoIntervalError(ValueError):
    """Why nothing honest can be said of how far a value could have been another."""


@dataclass(frozen=True)
class Parts:
    """Shares whose weighted sum a metric is, from its least value to its greatest.

    Attributes:
        span: of the metric, in its unit.
        weights: of each share in the span; their sum is 1.
        rates, wholes: the share itself, and what it is a share of.
        gains: what one more right answer adds to the part: 2 for F1, else 1.
        clusters: how many clusters each has.
    """

    span: float
    weights: np.ndarray
    rates: np.ndarray
    wholes: np.ndarray
    gains: np.ndarray
    clusters: np.ndarray

    @property
    def value(self) -> float:
        """0 to 1."""
        return float(np.clip(self.weights @ self.rates, 0, 1))

    @property
    def units(self) -> np.ndarray:
        """So many independent answers, right or wrong, make each share as certain [shares].

        Where a right answer weighs more than a wrong one, as in F1, r (1 - r) / n is then the variance by the delta method.
        A share whose answers are all of one cluster counts as one answer, since nothing tells how alike they are.
        """
        units = self.wholes / (self.gains - (self.gains - 1) * self.rates)
        found: np.ndarray = np.where(self.clusters > 1, units, np.minimum(units, self.clusters))
        return found


@dataclass(frozen=True)
class Makeup:
    """A run's value in a metric.

    Attributes:
        moves: by how much each cluster moves the value, in the metric's unit, so scaled that the sum of their squares is an
            unbiased variance of the value [clusters]. The mean of a share's moves is 0.
        clusters: how many have a part in the metric.
        freedom: degrees of freedom of that variance.
        parts: None for a metric that is no sum of shares.
    """

    value: float
    moves: np.ndarray
    clusters: int
    freedom: float
    parts: Parts | None

    @property
    def variance(self) -> float:
        return float((self.moves**2).sum())


def make_up(panel: Panel, run: int = 0) -> Makeup:
    """Raises NoIntervalError if the metric rests on a single cluster or is a share of nothing."""
    if panel.metric.unmoved:
        raise NoIntervalError(panel.metric.unmoved)
    shares = _asked(shares_of(panel), panel, run)
    names = list(dict.fromkeys([*panel.names, *(name for share in shares for name in (*_part(share), *_whole(share)))]))
    counts = np.zeros((panel.clusters, len(names)))
    counts[:, : len(panel.names)] = panel.counts[run]
    wide = Panel(panel.metric, tuple(names), counts[None], panel.tallies)
    clusters = int(counts.any(axis=1).sum())
    if clusters < 2:
        raise NoIntervalError("of one image" if clusters else "of nothing that was counted")
    value = float(wide.values()[0])
    if not np.isfinite(value):
        raise NoIntervalError("not a finite number")
    slopes = _slopes(wide)
    if shares:
        found = _of_shares(wide, shares, slopes)
        if found is not None:
            return Makeup(value, found[0], clusters, found[1], found[2])
    return _whole_formula(wide, value, slopes, clusters)


def _part(share: Share) -> list[str]:
    return [name for name, _ in share.part]


def _whole(share: Share) -> list[str]:
    return [name for name, _ in share.whole]


def shares_of(panel: Panel) -> Sequence[Share]:
    """Those that the metric names, else one for each two counts ``X/right`` and ``X/asked`` that it reads."""
    if panel.metric.shares:
        return panel.metric.shares
    names = panel.names
    rights = {name: f"{name.removesuffix('right')}asked" for name in names if name.split("/")[-1] == "right"}
    return [Share(((right, 1.0),), ((asked, 1.0),)) for right, asked in rights.items() if asked in names]


def _asked(shares: Sequence[Share], panel: Panel, run: int) -> list[Share]:
    """Those that anything was asked about."""
    totals = dict(zip(panel.names, panel.counts[run].sum(axis=0).tolist(), strict=True))
    return [share for share in shares if any(totals.get(name) for name in (share.asked or _whole(share)))]


def _slopes(panel: Panel) -> np.ndarray:
    """How the first run's value changes with each count [names], by differences; a sum that is 0 can only grow."""
    sums = panel.counts[0].sum(axis=0)
    step = np.where(sums != 0, STEP * np.abs(sums), FIRST_STEP * max(1.0, float(np.abs(sums).max())))
    up, down = sums + np.diag(step), sums - np.diag(np.where(sums != 0, step, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = (panel.values(up) - panel.values(down)) / np.diagonal(up - down)
    if not np.isfinite(found).all():
        raise NoIntervalError("its formula has no slope there")
    return found


def _of_shares(panel: Panel, shares: Sequence[Share], slopes: np.ndarray) -> tuple[np.ndarray, float, Parts] | None:
    """Moves, degrees of freedom and parts; None if the formula is no sum of these shares."""
    place = {name: number for number, name in enumerate(panel.names)}
    part, whole = np.zeros((2, len(place), len(shares)))
    for number, share in enumerate(shares):
        for table, entries in ((part, share.part), (whole, share.whole)):
            for name, worth in entries:
                table[place[name], number] = worth
    counts = panel.counts[0]
    parts, wholes = counts @ part, counts @ whole
    sums, sizes = parts.sum(axis=0), wholes.sum(axis=0)
    if (sizes <= 0).any():
        raise NoIntervalError("a share of nothing")
    rates = sums / sizes
    if (rates < -1e-9).any() or (rates > 1 + 1e-9).any():
        raise NoIntervalError("not between 0 and 1")
    answered = np.array([name not in _given(shares) for name in panel.names])
    weights = _weights(slopes[answered], ((part - rates * whole) / sizes)[answered])
    least, most = panel.metric.range
    if weights is None or np.abs(weights).sum() < FLAT * (most - least if math.isfinite(most - least) else 0):
        return None
    moves, freedom = _share_moves(weights * (parts - rates * wholes) / sizes, wholes / sizes, weights)
    flipped = weights < 0  # less of it is more of the metric
    grows = np.array([_grows(share) for share in shares])
    found = Parts(
        span=float(np.abs(weights).sum()),
        weights=np.abs(weights) / np.abs(weights).sum(),
        rates=np.clip(np.where(flipped, 1 - rates, rates), 0, 1),
        wholes=sizes,
        gains=np.where(grows & ~flipped, part.max(axis=0), 1.0),
        clusters=(wholes > 0).sum(axis=0),
    )
    return moves, freedom, found


def _given(shares: Sequence[Share]) -> set[str]:
    """Names of counts that no answer decides, such as how many were asked."""
    told = [{*(share.asked or ()), *_whole(share)} for share in shares]
    alone = [names - {*_part(share)} for share, names in zip(shares, told, strict=True) if not _grows(share)]
    return {name for names in alone for name in names}


def _grows(share: Share) -> bool:
    """Whether the whole is made of answers, too, as in F1."""
    return not {*_part(share)}.isdisjoint(_whole(share))


def _weights(slopes: np.ndarray, gradients: np.ndarray) -> np.ndarray | None:
    """Of each share [shares]; None if the formula's slopes [names] are no sum of the shares' gradients [names, shares]."""
    weights, *_ = np.linalg.lstsq(gradients, slopes, rcond=None)
    explained = np.linalg.norm(slopes - gradients @ weights) <= LEFT * np.linalg.norm(slopes)
    return weights if explained and np.abs(weights).sum() > 0 else None


def _share_moves(moves: np.ndarray, parts: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Moves of the sum, made unbiased share by share, and degrees of freedom.

    Args:
        moves: of each share [clusters, shares].
        parts: of each share's whole [clusters, shares].

    A share of g clusters has g - 1 degrees of freedom; its moves are scaled by sqrt(g / (g - 1)), with g the number of equal
    clusters that would be as unequal. Shares over the same clusters share their degrees of freedom.
    """
    equal = 1 / (parts**2).sum(axis=0)
    several = equal > 1 + 1e-9
    scale = np.where(several, np.sqrt(equal / np.where(several, equal - 1, 1.0)), 0.0)
    weights = np.abs(weights)
    taking = (parts > 0) @ weights
    taken = np.divide(parts @ weights, taking, out=np.zeros(len(parts)), where=taking > 0)
    return (moves * scale).sum(axis=1), float((taking > 0).sum() - taken.sum())


def _whole_formula(panel: Panel, value: float, slopes: np.ndarray, clusters: int) -> Makeup:
    """Of a formula of which nothing is known but its range; a percentage counts as a share of its tallies."""
    moves = panel.counts[0] @ slopes
    moves = np.where(panel.counts[0].any(axis=1), moves - moves.sum() / clusters, 0.0) * (clusters / (clusters - 1)) ** 0.5
    low, high = panel.metric.range
    if not low - 1e-9 <= value <= high + 1e-9:
        raise NoIntervalError(f"not between {low:g} and {high:g}")
    if panel.metric.unit not in SHARES:
        return Makeup(value, moves, clusters, clusters - 1.0, None)
    one, rate = np.ones(1), min(max((value - low) / (high - low), 0.0), 1.0)
    parts = Parts(high - low, one, one * rate, one * max(panel.tallies, clusters), one, one * clusters)
    return Makeup(value, moves, clusters, clusters - 1.0, parts)
