"""What rows of a table lack, and why: a model that could not be evaluated stands in its place with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mipha_eval.reporting.measured import Measured


@dataclass(frozen=True)
class Lacking:
    """Why a row has no results, or not all.

    Attributes:
        row: its number among all rows that were asked for, from 0.
        name: what the row is called.
        whole: whether it has no results at all, so that no run is there to make a row of.
    """

    row: int
    name: str
    reason: str
    whole: bool = True


def with_lacking(rows: Sequence[Measured], lacking: Sequence[Lacking]) -> list[Measured]:
    """The rows with those that have no results among them, and with what others lack as remarks."""
    found = list(rows)
    for each in sorted(lacking, key=lambda each: each.row):
        if each.whole:
            found.insert(each.row, Measured(each.name, {}, named=True, remarks=(each.reason,)))
        else:
            found[each.row] = replace(found[each.row], remarks=(*found[each.row].remarks, each.reason))
    return found
