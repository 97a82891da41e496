"""Scores of an ablation against a number: resolution, image tokens, seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import mean
from typing import TYPE_CHECKING

from mipha_eval.reporting.plots.floor_lines import draw_floor_levels, floors_of
from mipha_eval.reporting.plots.levels import HEIGHT, unit_of
from mipha_eval.reporting.plots.placed import SECONDS, Against, Placed
from mipha_eval.reporting.plots.style import LINES, MARKERS, PALETTE, LegendRoom, label, titled
from mipha_eval.reporting.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 3  # panels beside each other
#: how far points of different lines stand beside each other, and all of them: parts of the least distance on the axis
APART, MOST_APART = 0.05, 0.4


def line_figure(table: Table, against: Against) -> Figure:
    """A panel for each column; a line for what is not on the axis, through the means of points at the same place."""
    from matplotlib.figure import Figure

    columns = [column for column in table.columns if any(each.point.axis == column.heading for each in against.points)]
    series, floors = against.series(table), floors_of(table)
    across, down = min(ACROSS, len(columns)), math.ceil(len(columns) / ACROSS)
    wide = max(3.4, 2.5 * across)
    below = LegendRoom.of([*series, *floors], wide)
    figure = Figure(figsize=(wide, 0.8 + HEIGHT * down + below.height), layout="constrained")
    drawn = list(figure.subplots(down, across, squeeze=False).flat)
    shifts = _shifts(against, len(series))
    for axes, column in zip(drawn, columns, strict=False):
        own = {name: [each for each in found if each.point.axis == column.heading] for name, found in series.items()}
        _draw(axes, own, shifts)
        draw_floor_levels(axes, floors.items(), column.heading)
        axes.set_xlabel(against.heading)
        axes.set_ylabel(f"{label(column.heading)} ({unit_of(column)})")
        if against.name != SECONDS:
            _name_places(axes, sorted({each.x or 0.0 for each in against.points}))
    for axes in drawn[len(columns) :]:
        axes.set_axis_off()
    figure.suptitle(titled(table.title, [each.point for each in against.points], against.told), fontsize=8)
    if any(series) or floors:
        handles = {name: each for axes in drawn for each, name in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=below.columns, frameon=False)
    return figure


def _shifts(against: Against, lines: int) -> list[float]:
    """How far points of each line stand beside their place; measured seconds are not moved."""
    places = [each.x or 0.0 for each in against.points]
    apart = 0.0 if against.name == SECONDS else min(APART, MOST_APART / lines) * _least(places)
    return [(number - (lines - 1) / 2) * apart for number in range(lines)]


def _name_places(axes: Axes, places: Sequence[float]) -> None:
    """The numbers that there are, upright where they are close; those that would touch are left out."""
    span, kept = places[-1] - places[0], list(places[:1])
    for place in places[1:]:
        kept += [place] if place - kept[-1] > 0.06 * span else []
    close = any(second - first < 0.18 * span for first, second in pairwise(kept))
    axes.set_xticks(kept, [f"{place:g}" for place in kept], rotation=90 if close else 0)


def _least(places: Sequence[float]) -> float:
    """The smallest distance between two of them."""
    apart = sorted(set(places))
    return min(second - first for first, second in pairwise(apart))


def _draw(axes: Axes, series: Mapping[str, Sequence[Placed]], shifts: Sequence[float]) -> None:
    for number, (name, placed) in enumerate(series.items()):
        if not placed:
            continue
        values: dict[float, list[float]] = {}
        for each in placed:
            values.setdefault((each.x or 0.0) + shifts[number], []).append(each.point.value)
        places = sorted(values)
        colour = PALETTE[number % len(PALETTE)]
        marker = MARKERS[(number + number // len(PALETTE)) % len(MARKERS)]
        axes.plot(places, [mean(values[place]) for place in places], LINES[number % len(LINES)], color=colour, linewidth=1)
        for count, each in enumerate(placed):
            x, point = (each.x or 0.0) + shifts[number], each.point
            low, high = point.interval or (point.value, point.value)
            reach = [[max(0.0, point.value - low)], [max(0.0, high - point.value)]]
            shown = label(name) if count == 0 and name else "_"
            axes.errorbar(x, point.value, reach, fmt="none", ecolor=colour, elinewidth=0.8, capsize=2)
            axes.plot([x], [point.value], marker, linestyle="none", label=shown, color=colour, markersize=4)
            if point.remarks:
                axes.annotate("*", (x, point.value), xytext=(3, 1), textcoords="offset points")
    axes.margins(x=0.12)
