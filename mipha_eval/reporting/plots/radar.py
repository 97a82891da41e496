"""A radar of benchmarks: each axis from 0 to the highest value possible."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mipha_eval.reporting.plots.series import Series
from mipha_eval.reporting.plots.style import LINES, MARKERS, SHADES, heading, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST_AXES = 3


def radar_figure(series: Series, title: str) -> Figure:
    """A line a row; where a row has no number its line is broken."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6, 4.2), layout="constrained")
    axes = figure.add_subplot(projection="polar")
    axes.set_theta_offset(math.pi / 2)  # type: ignore[attr-defined]  # of polar axes
    axes.set_theta_direction(-1)  # type: ignore[attr-defined]
    angles = [2 * math.pi * place / len(series.axes) for place in range(len(series.axes))]
    for number, row in enumerate([*series.rows, *series.floors]):
        points = [series.find(row, axis) for axis in series.axes]
        shares = [math.nan if point is None else 100 * point.share for point in points]
        shade = "black" if number % 2 == 0 else SHADES[4]
        axes.plot(
            [*angles, angles[0]],
            [*shares, shares[0]],
            LINES[number],
            marker=MARKERS[number],
            color=shade,
            markerfacecolor=SHADES[number],
            markersize=4,
            linewidth=1,
            label=label(row),
        )
        for angle, point in zip(angles, points, strict=True):
            if point is not None and point.remarks:
                axes.annotate("*", (angle, 100 * point.share), xytext=(3, 1), textcoords="offset points")
    axes.set_xticks(angles, [label(axis) for axis in series.axes])
    axes.set_ylim(0, 100)
    axes.set_yticks([25, 50, 75, 100], ["25", "50", "75", "100"], color="#565656")
    figure.suptitle(f"{heading(title, [series])}\nEach axis: % of the highest value possible", fontsize=8, wrap=True)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure
