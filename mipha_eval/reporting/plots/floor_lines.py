"""Floors in plots: lines across, at what no model gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from mipha_eval.reporting.plots.series import Point, points_of
from mipha_eval.reporting.plots.style import label
from mipha_eval.reporting.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HALF = 0.48  # of the distance between groups of bars
WIDTH = 1.1
KINDS: tuple[Literal["--", "-.", ":"], ...] = ("--", "-.", ":")
GREY = "#8c8c8c"


def floors_of(table: Table) -> dict[str, list[Point]]:
    """The numbers of a table's floors, by name."""
    return {row.name: found for row in table.floors if (found := points_of(row, row.name, table.columns))}


def draw_floors(axes: Axes, floors: Iterable[tuple[str, Sequence[Point]]], columns: Sequence[str]) -> None:
    """A line of its own kind for each floor, across the bars of each column that it has a number of."""
    for number, (name, points) in enumerate(floors):
        drawn = [(columns.index(point.axis), point.value) for point in points if point.axis in columns]
        starts, ends = ([place + shift for place, _ in drawn] for shift in (-HALF, HALF))
        heights = [value for _, value in drawn]
        axes.hlines(heights, starts, ends, "white", zorder=3, lw=2.5 * WIDTH)  # to be seen on dark bars, too
        axes.hlines(heights, starts, ends, shade(number), kind(number), label=label(name), zorder=3, lw=WIDTH)


def draw_floor_levels(axes: Axes, floors: Iterable[tuple[str, Sequence[Point]]], column: str) -> None:
    """The same where one column has all of the panel."""
    for number, (name, points) in enumerate(floors):
        for point in points:
            if point.axis == column:
                axes.axhline(point.value, color=shade(number), linestyle=kind(number), label=label(name), lw=WIDTH)


def kind(number: int) -> Literal["--", "-.", ":"]:
    """Dashes and dots, since whole lines go around bars."""
    return KINDS[number % len(KINDS)]


def shade(number: int) -> str:
    """Of more floors than there are kinds of lines, the further ones are grey."""
    return "black" if number < len(KINDS) else GREY
