"""Grouped bars of an ablation: benchmarks side by side, a bar a level, a panel for each group of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mipha_eval.reporting.factors import fact_of, words
from mipha_eval.reporting.plots.bars import GROUP, draw_interval
from mipha_eval.reporting.plots.floor_lines import draw_floors, floors_of
from mipha_eval.reporting.plots.placed import Placed, held_places, labels_of
from mipha_eval.reporting.plots.style import HATCHES, LETTER, PALETTE, LegendRoom, label, titled
from mipha_eval.reporting.table import Column, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROWEST_BAR, HEIGHT = 0.11, 2.1  # inches


def level_figure(table: Table, placed: Sequence[Placed]) -> Figure:
    """A row of panels for each group, in it one for each unit."""
    from matplotlib.figure import Figure

    labels = labels_of(table, placed)
    kinds, floors = list(dict.fromkeys(labels.values())), floors_of(table)
    scales = _scales(table, placed)
    groups = sorted({each.group for each in placed})
    most = max(len({each.point.row for each in placed if each.group == group}) for group in groups)
    bars = sum(map(len, scales.values())) * (most + 1)
    wide = max(3.4, 0.8 + NARROWEST_BAR * bars)
    below = LegendRoom.of([*kinds, *floors], wide)
    figure = Figure(figsize=(wide, 0.7 + HEIGHT * len(groups) + below.height), layout="constrained")
    widths = [len(columns) for columns in scales.values()]
    drawn = figure.subplots(len(groups), len(scales), squeeze=False, width_ratios=widths, sharex="col", sharey="col")
    for line, group in zip(drawn, groups, strict=True):
        own = [each for each in placed if each.group == group]
        for axes, (unit, columns) in zip(line, scales.items(), strict=True):
            _draw(axes, [each for each in own if each.point.axis in columns], columns, labels, kinds)
            draw_floors(axes, floors.items(), columns)
            axes.set_ylabel(unit)
            _name_columns(axes, columns, (wide - 0.8) / sum(widths))
        line[0].set_title(_held(table, group), fontsize=8, loc="left")
    for axes, columns in zip(drawn[0], scales.values(), strict=True):
        points = [*(each.point for each in placed), *(point for own in floors.values() for point in own)]
        tops = [max(point.interval or (point.value,)) for point in points if point.axis in columns]
        axes.set_ylim(0, max(*tops, 1e-9) * 1.1)  # of all panels below each other
    figure.suptitle(titled(table.title, [each.point for each in placed]), fontsize=8)
    handles = {name: each for axes in drawn.flat for each, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    shown = [label(kind) for kind in (*kinds, *floors)]
    figure.legend([handles[name] for name in shown], shown, loc="outside lower center", ncols=below.columns, frameon=False)
    return figure


def unit_of(column: Column) -> str:
    """What a column's numbers are."""
    return "%" if column.most == 100 else "points"


def _scales(table: Table, placed: Sequence[Placed]) -> dict[str, list[str]]:
    """Unit -> headings of columns that have a number."""
    found: dict[str, list[str]] = {}
    for column in table.columns:
        if any(each.point.axis == column.heading for each in placed):
            found.setdefault(unit_of(column), []).append(column.heading)
    return found


def _held(table: Table, group: int) -> str:
    """What all rows of a group have, where there are other groups."""
    own = table.model_groups[group]
    places = held_places(own, table) if len(table.model_groups) > 1 else []
    factors = [table.factors[place].key for place in places]
    return ", ".join(f"{words(factor)} {label(fact_of(own.rows[0].fields, factor).text)}" for factor in factors)


def _draw(
    axes: Axes, placed: Sequence[Placed], columns: Sequence[str], labels: dict[str, str], kinds: Sequence[str]
) -> None:
    """A panel: for each column the rows' bars, each in its level's colour."""
    rows = list(dict.fromkeys(each.point.row for each in placed))
    width = GROUP / max(1, len(rows))
    for number, row in enumerate(rows):
        kind = kinds.index(labels[row])
        own = [each.point for each in placed if each.point.row == row]
        lefts = [columns.index(point.axis) + (number - (len(rows) - 1) / 2) * width for point in own]
        colour, hatch = PALETTE[kind % len(PALETTE)], HATCHES[(kind + kind // len(PALETTE)) % len(HATCHES)]
        heights = [point.value for point in own]
        axes.bar(lefts, heights, width, label=label(labels[row]), color=colour, hatch=hatch, ec="black", lw=0.6)
        for left, point in zip(lefts, own, strict=True):
            draw_interval(axes, left, point)
            if point.remarks:
                top = point.interval[1] if point.interval else point.value
                axes.annotate("*", (left, top), ha="center", va="bottom")


def _name_columns(axes: Axes, columns: Sequence[str], room: float) -> None:
    """Names below the bars, slanted where they are wider than the inches that each has."""
    shown = [label(column) for column in columns]
    slanted = max(map(len, shown)) * LETTER > room
    axes.set_xticks(range(len(columns)), shown, rotation=35 if slanted else 0, ha="right" if slanted else "center")
