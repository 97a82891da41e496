"""The order in which a report is made; see ``mipha-eval report --help``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.reporting.assembly import Published, build_table
from mipha_eval.reporting.definition import check_tasks, headlines, read_definition, with_published_ways
from mipha_eval.reporting.floors import floor_runs
from mipha_eval.reporting.formats import ENDINGS, RENDERERS
from mipha_eval.reporting.lacking import Lacking, with_lacking
from mipha_eval.reporting.measured import Measured, read_measured
from mipha_eval.reporting.published import read_published
from mipha_eval.reporting.row_setting import RowSetting
from mipha_eval.reporting.significance import PairedTests
from mipha_eval.reporting.table import Table


@dataclass(frozen=True)
class ReportSettings:
    """What a table is made of.

    Attributes:
        runs: run folders, or files that ``score --json`` printed.
        table: a bundled table or a TOML file; None for the headline of every task that the runs have.
        published: models; None for those that the table names.
        rows: what the user says of rows.
        by: factors that rows are grouped by; None for none.
        floors: whether the floors' runs that lie beside these stand under the table.
        tasks: labels of the tasks that are shown; None for all that the runs have.
        lacking: rows without results, or without all, where each run is a row of its own.
    """

    runs: Sequence[Path]
    table: str | None = None
    intervals: bool = False
    published: Sequence[str] | None = None
    published_files: Sequence[Path] = ()
    rank_published: bool = True
    rows: Sequence[RowSetting] = ()
    by: Sequence[str] | None = None
    floors: bool = False
    tasks: Sequence[str] | None = None
    lacking: Sequence[Lacking] = ()


@dataclass(frozen=True)
class Report:
    """A table of runs, ready to be written in any format."""

    table: Table
    measured: Sequence[Measured]

    def text(self, format: str) -> str:  # noqa: A002 - the word that users know
        """The table as md, latex, html, csv or json."""
        if format not in RENDERERS:
            raise UserError(f"no table can be written as {format!r}; there are {', '.join(RENDERERS)}")
        return RENDERERS[format](self.table)

    def write_plots(self, folder: Path) -> list[Path]:
        """Plots of the table as PDF and PNG, with their numbers as CSV; returns the files."""
        from mipha_eval.reporting.plots.write import write_plots

        return write_plots(self.table, self.measured, folder)


def make_report(settings: ReportSettings, registry: Registry) -> Report:
    """Reads runs and published scores, and puts them into a table.

    Raises:
        UserError: anything that the user can mend.
    """
    floors = floor_runs(settings.runs) if settings.floors else []
    measured = with_lacking(read_measured(settings.runs, settings.rows, floors), settings.lacking)
    if settings.tasks is not None:
        measured = [row.only(settings.tasks) for row in measured]
    asked = [row for row in measured if not row.sources or row.sources[0] not in floors]
    results = [result for row in asked for result in row.results.values()]
    if settings.table is None:
        definition = headlines(result.content for result in results)
    else:
        definition = read_definition(settings.table)
        check_tasks(definition, (result.label for result in results), registry)
        definition = with_published_ways(definition, (result.label for result in results))
    published = Published(read_published(*settings.published_files), settings.published, settings.rank_published)
    table = build_table(definition, measured, published, PairedTests(registry), settings.by)
    return Report(replace(table, intervals=settings.intervals), measured)


def report(
    runs: Sequence[str | Path],
    *,
    table: str | Path | None = None,
    format: str = "md",  # noqa: A002 - the word that users know
    intervals: bool = False,
    published: Sequence[str] | None = None,
    published_files: Sequence[str | Path] = (),
    rank_published: bool = True,
    rows: Sequence[str | RowSetting] = (),
    by: str | Sequence[str] | None = None,
    floors: bool = False,
    plots: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
) -> str:
    """A table of runs, beside published numbers, as text; needs neither model nor data.

    Args:
        runs: run folders, or files that ``score --json`` printed.
        table: a bundled one (``mipha-eval list tables``) or a TOML file; None for the headline of every task.
        format: md, latex, html, csv or json.
        intervals: 95 % intervals as subscripts.
        published: models whose published scores stand beside; None for those that the table names.
        published_files: more published scores, as in ``results/published``.
        rank_published: whether published numbers can be the best.
        rows: ``RUN:key=value``: name, parameters, published or a field of the table.
        by: factors of an ablation, such as ``("tower", "language_model")``: rows are grouped by them, and differences
            between their levels are tested.
        floors: the floors' runs that lie beside these, such as ``majority``, under the table.
        plots: a folder for plots of the table.
        plugins: Python files with tasks.

    Raises:
        UserError: anything that the user can mend.
    """
    settings = ReportSettings(
        [Path(run) for run in runs],
        str(table) if table is not None else None,
        intervals,
        published,
        [Path(file) for file in published_files],
        rank_published,
        [row if isinstance(row, RowSetting) else RowSetting.parse(row) for row in rows],
        [by] if isinstance(by, str) else by,
        floors,
    )
    made = make_report(settings, Registry([Path(each) for each in plugins]))
    if plots is not None:
        made.write_plots(Path(plots))
    return made.text(format)


def chosen_format(named: str | None, output: Path | None) -> str:
    """The format that was named, else the one that a file's name ends in, else Markdown."""
    ending = output.suffix.removeprefix(".").lower() if output else ""
    found = named or ENDINGS.get(ending, ending)
    return found if found in RENDERERS else "md"
