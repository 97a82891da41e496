"""Which plots are made of a table, and the files that they become."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from mipha_eval.core.atomic import write_text
from mipha_eval.core.errors import UserError
from mipha_eval.reporting.measured import Measured
from mipha_eval.reporting.plots.bars import bar_figure
from mipha_eval.reporting.plots.levels import level_figure, unit_of
from mipha_eval.reporting.plots.lines import line_figure
from mipha_eval.reporting.plots.placed import Placed, axes_of, placed_points
from mipha_eval.reporting.plots.radar import LEAST_AXES, radar_figure
from mipha_eval.reporting.plots.series import Point, Series, part_series, table_series
from mipha_eval.reporting.plots.style import paper_style, save
from mipha_eval.reporting.table import Table
from mipha_eval.reporting.visible import visible

HEADINGS = ("row", "axis", "value", "low", "high", "share_of_highest", "remarks", "file", "at")


def write_plots(table: Table, measured: Sequence[Measured], folder: Path) -> list[Path]:
    """Writes ``bars``, ``radar`` and ``parts-COLUMN``, each as pdf, png and csv; returns the files.

    A radar needs three columns with numbers; parts need results that have them. An ablation has ``levels``, bars by level,
    in place of ``bars``, and ``score-NAME`` for each number that its models differ in.

    Raises:
        UserError: the table has no number under its columns' own protocols, or the folder cannot be written.
    """
    series = table_series(table)
    if not series.points:
        raise UserError(f"table {table.name} has no number under its columns' protocols; there is nothing to plot")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with paper_style():
            return _write_all(table, measured, series, folder)
    except OSError as error:
        raise UserError(f"cannot write plots to {folder}: {error.strerror}") from error


def _write_ablation(table: Table, measured: Sequence[Measured], folder: Path) -> list[Path]:
    placed = placed_points(table)
    files = save(level_figure(table, placed), folder / "levels")
    files.append(_write_placed(table, placed, folder / "levels.csv"))
    for against in axes_of(table, placed, machines_differ=len({row.machine for row in measured}) > 1):
        path = folder / f"score-{_file_name(against.name)}"
        files += save(line_figure(table, against), path)
        files.append(_write_placed(table, against.points, path.with_name(f"{path.name}.csv")))
    return files


def _write_all(table: Table, measured: Sequence[Measured], series: Series, folder: Path) -> list[Path]:
    scales: dict[str, list[str]] = {}
    for column in table.columns:
        if column.heading in series.axes:
            scales.setdefault(unit_of(column), []).append(column.heading)
    panels = [series.only(axes) for axes in scales.values()]
    if table.factors:
        files = _write_ablation(table, measured, folder)
    else:
        files = save(bar_figure(panels, list(scales), table.title), folder / "bars")
        files.append(_write_numbers(series, folder / "bars.csv"))
    if len(series.axes) >= LEAST_AXES:
        files += save(radar_figure(series, table.title), folder / "radar")
        files.append(_write_numbers(series, folder / "radar.csv"))
    for column in table.columns:
        parts = part_series(table, measured, column)
        if parts.points:
            path = folder / f"parts-{_file_name(column.heading)}"
            files += save(bar_figure([parts], [unit_of(column)], f"{column.heading} by part"), path)
            files.append(_write_numbers(parts, path.with_name(f"{path.name}.csv")))
    return files


def _file_name(heading: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in heading)


def _write_numbers(series: Series, path: Path) -> Path:
    return _write_lines([HEADINGS, *(_numbers(point) for point in series.points)], path)


def _write_placed(table: Table, placed: Sequence[Placed], path: Path) -> Path:
    """The same with each row's levels before, and what it is drawn against behind."""
    factors = [factor.key for factor in table.factors]
    lines = [[*map(visible, each.levels), *_numbers(each.point), each.x] for each in placed]
    return _write_lines([[*factors, *HEADINGS, "x"], *lines], path)


def _numbers(point: Point) -> list[object]:
    """What HEADINGS name."""
    low, high = point.interval or (None, None)
    remarks = "; ".join(map(visible, point.remarks))
    numbers = (point.value, low, high, point.share)
    return [visible(point.row), visible(point.axis), *numbers, remarks, visible(point.file, 1000), visible(point.at)]


def _write_lines(lines: Iterable[Sequence[object]], path: Path) -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    write_text(path, text.getvalue())
    return path
