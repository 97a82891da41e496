"""Bars with intervals, a group for each column or part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mipha_eval.reporting.plots.floor_lines import draw_floors
from mipha_eval.reporting.plots.series import Point, Series
from mipha_eval.reporting.plots.style import HATCHES, SHADES, heading, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUP = 0.8  # of the distance between groups that bars take


def bar_figure(panels: list[Series], units: list[str], title: str) -> Figure:
    """Panels side by side, one for each scale; widths by the number of groups."""
    from matplotlib.figure import Figure

    bars = sum(len(panel.axes) * (len(panel.rows) + 1) for panel in panels)
    figure = Figure(figsize=(max(3.4, min(7.0, 0.6 + 0.16 * bars)), 2.8), layout="constrained")
    drawn = figure.subplots(1, len(panels), squeeze=False, width_ratios=[1 + len(panel.axes) for panel in panels])[0]
    for axes, panel, unit in zip(drawn, panels, units, strict=True):
        _draw(axes, panel)
        axes.set_ylabel(unit)
    figure.suptitle(heading(title, panels), fontsize=8)
    handles, names = drawn[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(3, len(names)), frameon=False)
    return figure


def _draw(axes: Axes, series: Series) -> None:
    width = GROUP / max(1, len(series.rows))
    for number, row in enumerate(series.rows):
        shift = (number - (len(series.rows) - 1) / 2) * width
        drawn = [(place + shift, point) for place, axis in enumerate(series.axes) if (point := series.find(row, axis))]
        left, heights = [place for place, _ in drawn], [point.value for _, point in drawn]
        axes.bar(left, heights, width, label=label(row), color=SHADES[number], hatch=HATCHES[number], ec="black", lw=0.6)
        for place, point in drawn:
            draw_interval(axes, place, point)
            if point.remarks:
                axes.annotate("*", (place, point.interval[1] if point.interval else point.value), ha="center", va="bottom")
    draw_floors(axes, series.drawn_floors, series.axes)
    names = [label(axis) for axis in series.axes]
    many = sum(map(len, names)) > 40
    axes.set_xticks(range(len(names)), names, rotation=35 if many else 0, ha="right" if many else "center")
    axes.set_ylim(bottom=0)


def draw_interval(axes: Axes, place: float, point: Point) -> None:
    """An error bar that is seen on dark bars, too; none where there is no interval."""
    if point.interval is None:
        return
    low, high = point.interval
    reach = [[max(0.0, point.value - low)], [max(0.0, high - point.value)]]
    # white behind black, to be seen on dark bars, too
    axes.errorbar(place, point.value, reach, fmt="none", ecolor="white", elinewidth=2.2, capsize=2.4, capthick=2.2)
    axes.errorbar(place, point.value, reach, fmt="none", ecolor="black", elinewidth=0.8, capsize=1.8, capthick=0.8)
