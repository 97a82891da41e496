"""Floors in plots: lines across, at what no model gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mipha_eval.reporting.plots.series import Point, points_of
from mipha_eval.reporting.plots.style import LINES, SHADES, label
from mipha_eval.reporting.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HALF = 0.48  # of the distance between groups of bars


def floors_of(table: Table) -> dict[str, list[Point]]:
    """The numbers of a table's floors, by name."""
    return {row.name: found for row in table.floors if (found := points_of(row, row.name, table.columns))}


def draw_floors(axes: Axes, floors: Iterable[tuple[str, Sequence[Point]]], columns: Sequence[str]) -> None:
    """A line of its own kind for each floor, across the bars of each column that it has a number of."""
    for number, (name, points) in enumerate(floors):
        drawn = [(columns.index(point.axis), point.value) for point in points if point.axis in columns]
        starts, ends = ([place + shift for place, _ in drawn] for shift in (-HALF, HALF))
        axes.hlines([value for _, value in drawn], starts, ends, label=label(name), zorder=3, lw=1.1, **_look(number))


def draw_floor_levels(axes: Axes, floors: Iterable[tuple[str, Sequence[Point]]], column: str) -> None:
    """The same where one column has all of the panel."""
    for number, (name, points) in enumerate(floors):
        for point in points:
            if point.axis == column:
                look = _look(number)
                axes.axhline(point.value, label=label(name), lw=1.1, color=look["colors"], linestyle=look["linestyles"])


def _look(number: int) -> dict[str, str]:
    """Dashes and dots, since bars have whole lines."""
    line = LINES[1 + number % 3]
    return {"linestyles": line, "colors": "black" if number < 3 else SHADES[4]}
