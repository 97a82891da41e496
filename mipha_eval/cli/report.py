"""``mipha-eval report``."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.answer_flags import NO_ANSWERS, AnswerFlags
from mipha_eval.cli.clean_output import own_output
from mipha_eval.cli.completion import published_models, run_folders, tables
from mipha_eval.cli.flag_groups import takes_flags

logger = logging.getLogger(__name__)


class Format(StrEnum):
    """What a table can be written as."""

    md = "md"
    latex = "latex"
    html = "html"
    csv = "csv"
    json = "json"


@takes_flags()
def report_table(
    runs: Annotated[
        Optional[list[Path]],
        typer.Argument(
            autocompletion=run_folders,
            help="Run folders, answer files, files that score --json printed, lmms-eval's *_results.json.",
        ),
    ] = None,
    answers: AnswerFlags = NO_ANSWERS,
    table: Annotated[
        Optional[str],
        typer.Option("--table", autocompletion=tables, help="A table, see list tables, or a TOML file of your own."),
    ] = None,
    format: Annotated[
        Optional[Format], typer.Option("--format", help="Default: what the output's name ends in, or md.")
    ] = None,
    output: Annotated[Optional[Path], typer.Option("--output", "-o", help="A file instead of standard output.")] = None,
    intervals: Annotated[bool, typer.Option("--intervals", help="95 % intervals as subscripts.")] = False,
    published: Annotated[
        Optional[list[str]],
        typer.Option(
            "--published",
            autocompletion=published_models,
            help="Models as a,b or repeated, all or none; default: those that the table names.",
        ),
    ] = None,
    published_file: Annotated[
        Optional[list[Path]],
        typer.Option("--published-file", exists=True, help="More published scores, as in results/published."),
    ] = None,
    rank_published: Annotated[
        bool, typer.Option("--rank-published/--no-rank-published", help="Whether published numbers can be the best.")
    ] = True,
    row: Annotated[
        Optional[list[str]],
        typer.Option("--row", help="RUN:key=value: name, parameters, published or a field of the table; repeatable."),
    ] = None,
    by: Annotated[
        Optional[list[str]],
        typer.Option("--by", help="Factors of an ablation as a,b: groups rows by them, tests differences between levels."),
    ] = None,
    floors: Annotated[
        bool,
        typer.Option("--floors", help="Under the table stand the floors' runs that lie beside these: majority, random, ..."),
    ] = False,
    plots: Annotated[
        Optional[Path], typer.Option("--plots", help="Also write plots, PDF, PNG and CSV, to this folder.")
    ] = None,
    plugin: flags.Plugins = None,
) -> None:
    """Compare runs, beside published numbers, in a table that pastes into a paper; needs no model.

    Data are needed for answer files alone.
    """
    from mipha_eval.core.atomic import write_text
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.reporting.make import ReportSettings, chosen_format, make_report
    from mipha_eval.reporting.row_setting import RowSetting

    models = [name.strip() for text in published for name in text.split(",")] if published else None
    files, settings = published_file or (), [RowSetting.parse(text) for text in row or ()]
    registry = Registry(plugin or ())
    folders = answers.runs(runs or (), registry)
    made = make_report(
        ReportSettings(folders, table, intervals, models, files, rank_published, settings, by, floors), registry
    )
    text = made.text(chosen_format(format, output))
    if output is None:
        typer.echo(text, own_output(), nl=False)
    else:
        write_text(output, text)
        logger.info("wrote %s", output)
    for path in made.write_plots(plots) if plots is not None else ():
        logger.info("wrote %s", path)
