"""Questions that one run answers better than another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mipha_eval.comparison.matched import Matched
from mipha_eval.core.types import Score


@dataclass(frozen=True)
class Flips:
    """Questions, all or those of a category, that the second run scores higher (gained) or lower (lost) than the first.

    Attributes:
        gained, lost: their ids, in the benchmark's order.
    """

    questions: int = 0
    gained: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def find_flips(matched: Matched) -> Flips:
    """Of all questions that two runs share."""
    return _flips(list(_pairs(matched)))


def flips_by_category(matched: Matched) -> dict[str, Flips]:
    """Category -> flips, in the benchmark's order; empty where the questions have none."""
    found: dict[str, list[tuple[Score, Score]]] = {}
    for first, second in _pairs(matched):
        if first.category:
            found.setdefault(first.category, []).append((first, second))
    return {category: _flips(pairs) for category, pairs in found.items()}


def _pairs(matched: Matched) -> Iterator[tuple[Score, Score]]:
    return zip(matched.scores[0], matched.scores[1], strict=True)


def _flips(pairs: list[tuple[Score, Score]]) -> Flips:
    return Flips(
        questions=len(pairs),
        gained=[first.sample for first, second in pairs if second.value > first.value],
        lost=[first.sample for first, second in pairs if second.value < first.value],
    )
