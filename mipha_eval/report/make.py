"""The order in which a report is made; see ``mipha-eval report --help``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mipha_eval.core.atomic import write_text
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.report.assembly import Published, build_table
from mipha_eval.report.definition import check_tasks, headlines, read_definition
from mipha_eval.report.formats import ENDINGS, RENDERERS
from mipha_eval.report.measured import read_measured
from mipha_eval.report.published import read_published
from mipha_eval.report.significance import PairedTests


@dataclass(frozen=True)
class ReportConfig:
    """What a user asks for.

    Attributes:
        table: a bundled table or a TOML file; None for the headline of every task that the runs have.
        published: models; None for those that the table names.
        rows: ``RUN:key=value``.
    """

    runs: Sequence[Path]
    table: str | None = None
    format: str | None = None
    output: Path | None = None
    intervals: bool = False
    published: Sequence[str] | None = None
    published_files: Sequence[Path] = ()
    rank_published: bool = True
    rows: Sequence[str] = ()
    plots: Path | None = None


@dataclass(frozen=True)
class Report:
    """The table as text, and the files that were written."""

    text: str
    files: Sequence[Path]


def make_report(config: ReportConfig, registry: Registry) -> Report:
    """Makes the table, and writes it and its plots where that is asked for.

    Raises:
        UserError: anything that the user can mend.
    """
    measured = read_measured(config.runs, config.rows)
    results = [result for row in measured for result in row.results.values()]
    if config.table is None:
        definition = headlines(result.content for result in results)
    else:
        definition = read_definition(config.table)
        check_tasks(definition, (result.label for result in results), registry)
    published = Published(read_published(*config.published_files), config.published, config.rank_published)
    table = build_table(definition, measured, published, PairedTests(registry))
    text = RENDERERS[_format(config)](replace(table, intervals=config.intervals))
    written = []
    if config.output is not None:
        write_text(config.output, text)
        written.append(config.output)
    if config.plots is not None:
        from mipha_eval.report.plots.write import write_plots

        written += write_plots(table, measured, config.plots)
    return Report(text, written)


def _format(config: ReportConfig) -> str:
    ending = config.output.suffix.removeprefix(".").lower() if config.output else ""
    named = config.format or ENDINGS.get(ending, ending)
    return named if named in RENDERERS else "md"
