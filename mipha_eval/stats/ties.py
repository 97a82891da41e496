"""Which runs cannot be told from the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def tied_with_best(
    values: Sequence[float], p_values: Mapping[tuple[int, int], float], alpha: float = 0.05
) -> frozenset[int]:
    """Places of the highest value and of those that do not differ from it significantly.

    Args:
        p_values: corrected, of every pair (i, j) with i < j. All pairs belong to the family, since which run is the best
            is known only from the same answers.
    """
    best = max(range(len(values)), key=lambda place: values[place])
    return frozenset(
        place for place in range(len(values)) if place == best or p_values[min(place, best), max(place, best)] > alpha
    )
