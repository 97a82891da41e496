"""Which plots are made of a table, and the files that they become."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from mipha_eval.core.atomic import write_text
from mipha_eval.core.errors import UserError
from mipha_eval.reporting.measured import Measured
from mipha_eval.reporting.plots.bars import bar_figure
from mipha_eval.reporting.plots.radar import LEAST_AXES, radar_figure
from mipha_eval.reporting.plots.series import Series, part_series, table_series
from mipha_eval.reporting.plots.style import paper_style, save
from mipha_eval.reporting.table import Table
from mipha_eval.reporting.visible import visible

HEADINGS = ("row", "axis", "value", "low", "high", "share_of_highest", "remarks", "file", "at")


def write_plots(table: Table, measured: Sequence[Measured], folder: Path) -> list[Path]:
    """Writes ``bars``, ``radar`` and ``parts-COLUMN``, each as pdf, png and csv; returns the files.

    A radar needs three columns with numbers; parts need results that have them.

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


def _write_all(table: Table, measured: Sequence[Measured], series: Series, folder: Path) -> list[Path]:
    scales: dict[str, list[str]] = {}
    for column in table.columns:
        if column.heading in series.axes:
            scales.setdefault(_unit(column.most), []).append(column.heading)
    panels = [series.only(axes) for axes in scales.values()]
    files = save(bar_figure(panels, list(scales), table.title), folder / "bars")
    files.append(_write_numbers(series, folder / "bars.csv"))
    if len(series.axes) >= LEAST_AXES:
        files += save(radar_figure(series, table.title), folder / "radar")
        files.append(_write_numbers(series, folder / "radar.csv"))
    for column in table.columns:
        parts = part_series(table, measured, column)
        if parts.points:
            path = folder / f"parts-{_file_name(column.heading)}"
            files += save(bar_figure([parts], [_unit(column.most)], f"{column.heading} by part"), path)
            files.append(_write_numbers(parts, path.with_name(f"{path.name}.csv")))
    return files


def _unit(most: float) -> str:
    return "%" if most == 100 else "points"


def _file_name(heading: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in heading)


def _write_numbers(series: Series, path: Path) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADINGS)
    for point in series.points:
        low, high = point.interval or (None, None)
        words = (visible(point.row), visible(point.axis))
        remarks = "; ".join(map(visible, point.remarks))
        writer.writerow([*words, point.value, low, high, point.share, remarks, visible(point.file, 1000), visible(point.at)])
    write_text(path, text.getvalue())
    return path
