"""How long batches take, by what they cost: a line through some that were measured. Pure: no model, no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Measured:
    """A batch that was answered.

    Attributes:
        tokens: that it costs, see `Cost`.
        questions: distinct ones.
        failed: how many of these have no answer.
    """

    tokens: int
    questions: int
    seconds: float
    failed: int = 0


@dataclass(frozen=True)
class Speed:
    """Seconds of any batch, and of each token that it costs."""

    batch: float
    token: float

    def seconds(self, tokens: int) -> float:
        return self.batch + self.token * tokens

    def residual(self, measured: Sequence[Measured]) -> float:
        """By which part of its time a measured batch took longer or less long, the largest of all."""
        return max(abs(self.seconds(each.tokens) - each.seconds) / max(each.seconds, 1e-9) for each in measured)


def fit(measured: Sequence[Measured]) -> Speed:
    """The line of least squares of which no part is below 0; through 0 where all batches cost the same."""
    tokens = np.array([each.tokens for each in measured], dtype=float)
    seconds = np.array([each.seconds for each in measured], dtype=float)
    columns = np.stack([np.ones_like(tokens), tokens], axis=1)
    parts = ([0, 1], [1], [0]) if np.ptp(tokens) else ([1],) if tokens.any() else ([0],)
    lines = []
    for part in parts:
        line = np.zeros(2)
        line[part] = np.linalg.lstsq(columns[:, part], seconds, rcond=None)[0]
        if (line >= 0).all():
            lines.append(line)
    best = min(lines, key=lambda line: float(((columns @ line - seconds) ** 2).sum()))
    return Speed(float(best[0]), float(best[1]))


def spread(tokens: Sequence[int], count: int) -> list[int]:
    """Places of so many batches, the costliest first, or of all if there are fewer.

    One half is spread evenly over their order by cost, which is where most of the work is, the other half over the costs, so
    that the few that are small show what a batch takes beside its tokens.
    """
    left = sorted(range(len(tokens)), key=lambda place: -tokens[place])
    if len(left) <= count:
        return left
    half = (count + 1) // 2
    found = [left[round(number * (len(left) - 1) / max(half - 1, 1))] for number in range(half)]
    most, least = tokens[left[0]], tokens[left[-1]]
    left = [place for place in left if place not in found]
    for number in range(count - half):
        wanted = most - (most - least) * (number + 1) / (count - half + 1)
        found.append(min(left, key=lambda place: abs(tokens[place] - wanted)))
        left.remove(found[-1])
    return sorted(found, key=lambda place: -tokens[place])
