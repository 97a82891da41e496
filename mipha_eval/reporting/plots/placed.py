"""Numbers of an ablation with the place that they have among its levels, which is what its plots draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mipha_eval.reporting.factors import fact_of, heading_of, number_in
from mipha_eval.reporting.plots.series import Point, points_of
from mipha_eval.reporting.table import Cell, Group, Row, Table

#: facts that scores are drawn against wherever models differ in them
DRAWN_AGAINST = ("resolution", "image_tokens")
SECONDS = "seconds"


@dataclass(frozen=True)
class Placed:
    """A number with where it belongs.

    Attributes:
        group: the number of its row's group.
        levels: its row's level of each factor, as it stands in the table.
        seconds: that an answer took; None where nobody knows.
        x: what it is drawn against; None for bars.
    """

    point: Point
    row: Row
    group: int
    levels: tuple[str, ...]
    seconds: float | None
    x: float | None = None


@dataclass(frozen=True)
class Against:
    """What scores are drawn against.

    Attributes:
        name: of the fact.
        heading: what stands at the axis, with its unit.
        told: what a reader should know.
    """

    name: str
    heading: str
    points: tuple[Placed, ...]
    told: tuple[str, ...] = ()

    def series(self, table: Table) -> dict[str, list[Placed]]:
        """The points by what tells lines apart: the levels of the factors that are not this one; "" for a single line."""
        places = [place for place, factor in enumerate(table.factors) if factor.key != self.name]
        found: dict[str, list[Placed]] = {}
        for placed in self.points:
            name = ", ".join(placed.levels[place] for place in places)
            found.setdefault(f"{name}†" if placed.row.quoted else name, []).append(placed)
        return found


def placed_points(table: Table) -> list[Placed]:
    """All numbers of models that are what their columns say; those of rows with remarks have these, too."""
    found = []
    for number, group in enumerate(table.model_groups):
        for row in group.rows:
            levels = tuple(fact_of(row.fields, factor.key).text for factor in table.factors)
            cells = {column.heading: cell for column, cell in zip(table.columns, row.cells, strict=True)}
            for point in points_of(row, f"{row.name}†" if row.quoted else row.name, table.columns):
                told = replace(point, remarks=(*row.remarks, *point.remarks))
                found.append(Placed(told, row, number, levels, _seconds(cells[point.axis])))
    return found


def _seconds(cell: Cell | None) -> float | None:
    return None if cell is None else cell.seconds


def held_places(group: Group, table: Table) -> list[int]:
    """The factors that all rows of a group have the same level of."""
    levels = [[fact_of(row.fields, factor.key).text for factor in table.factors] for row in group.rows]
    return [place for place, own in enumerate(zip(*levels, strict=True)) if len(set(own)) == 1]


def labels_of(table: Table, placed: Sequence[Placed]) -> dict[str, str]:
    """Row -> its level of the factors that vary in any group, and its name where another of its group has the same."""
    groups = table.model_groups
    held = set.intersection(*(set(held_places(group, table)) for group in groups)) if len(groups) > 1 else set()
    rows = {each.point.row: each for each in placed}
    names = {
        name: ", ".join(level for place, level in enumerate(each.levels) if place not in held) for name, each in rows.items()
    }
    counts = Counter((each.group, names[name]) for name, each in rows.items())
    return {
        name: f"{names[name]} ({name})" if counts[each.group, names[name]] > 1 else f"{names[name]}{'†' * each.row.quoted}"
        for name, each in rows.items()
    }


def axes_of(table: Table, placed: Sequence[Placed], *, machines_differ: bool) -> list[Against]:
    """What there are two or more different numbers of: resolution, image tokens, factors that are numbers, and seconds."""
    names = dict.fromkeys([*(factor.key for factor in table.factors), *DRAWN_AGAINST])
    told = ("not all on the same machine",) if machines_differ else ()
    every = [
        *(Against(name, heading_of(name), _at(placed, _fact_reader(name))) for name in names),
        Against(SECONDS, "Seconds an answer", _at(placed, lambda each: each.seconds), told),
    ]
    return [against for against in every if len({each.x for each in against.points}) > 1]


def _at(placed: Sequence[Placed], read: Callable[[Placed], float | None]) -> tuple[Placed, ...]:
    return tuple(replace(each, x=x) for each in placed if (x := read(each)) is not None)


def _fact_reader(name: str) -> Callable[[Placed], float | None]:
    def read(each: Placed) -> float | None:
        fact = fact_of(each.row.fields, name)
        return number_in(fact.text) if fact.known else None

    return read
