"""Which rows of an ablation are compared with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

#: a row's level of each factor; None where it is not known
RowLevels = tuple[str | None, ...]
Pair = tuple[int, int]

#: more pairs than these are not all tested: a correction for many finds little, and nobody reads so many lines
MOST_PAIRS = 45
ALIKE = "Rows that differ in more are compared only where none differ in less."
FROM_FIRST = "There are many levels: only differences from the first are tested."
ONE_A_LEVEL = "Of several rows of the same levels the first is compared."


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows, by factor.

    Attributes:
        places: of the two rows in the table.
        limits: which were left out, in words.
    """

    places: tuple[Pair, ...]
    limits: tuple[str, ...] = ()

    @classmethod
    def of(cls, levels: Sequence[RowLevels], groups: Sequence[int], alike: Callable[[Pair], bool]) -> Pairs:
        """Those that differ in one factor alone; where there are none, those of a group that differ in several.

        Between the same levels those that are alike in all else are kept, if there are any.

        Args:
            levels: of each row in the order of the table; () for one that is not compared.
            groups: the number of each row's group.
            alike: whether two rows are the same in all that is no factor.
        """
        known = [place for place, own in enumerate(levels) if own and None not in own]
        every = [pair for pair in combinations(known, 2) if differing_places(levels, pair)]
        chosen = [pair for pair in every if len(differing_places(levels, pair)) == 1]
        chosen = chosen or [pair for pair in every if groups[pair[0]] == groups[pair[1]]]
        chosen.sort(key=lambda pair: differing_places(levels, pair))
        limits = []
        between = {(levels[first], levels[second]) for first, second in filter(alike, chosen)}
        kept = [pair for pair in chosen if (levels[pair[0]], levels[pair[1]]) not in between or alike(pair)]
        if len(kept) < len(chosen):
            chosen = kept
            limits.append(ALIKE)
        for limit, text in ((_from_first, FROM_FIRST), (_one_a_level, ONE_A_LEVEL)):
            if len(chosen) > MOST_PAIRS and len(fewer := list(limit(levels, chosen))) < len(chosen):
                chosen = fewer
                limits.append(text)
        return cls(tuple(chosen), tuple(limits))


def differing_places(levels: Sequence[RowLevels], pair: Pair) -> list[int]:
    """Which factors differ between two rows."""
    first, second = (levels[place] for place in pair)
    return [place for place, own in enumerate(first) if own != second[place]]


def _from_first(levels: Sequence[RowLevels], pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Of those with the same factors held at the same levels the pairs with the level that comes first."""
    reference: dict[object, RowLevels] = {}
    for pair in pairs:
        places = differing_places(levels, pair)
        held = tuple(None if place in places else level for place, level in enumerate(levels[pair[0]]))
        if reference.setdefault((*places, held), levels[pair[0]]) == levels[pair[0]]:
            yield pair


def _one_a_level(levels: Sequence[RowLevels], pairs: Sequence[Pair]) -> Iterator[Pair]:
    """The first of the pairs between the same levels."""
    seen = set()
    for first, second in pairs:
        between = (levels[first], levels[second])
        if between not in seen:
            seen.add(between)
            yield first, second
