"""``mipha-eval compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.answer_flags import NO_ANSWERS, AnswerFlags
from mipha_eval.cli.clean_output import own_output
from mipha_eval.cli.completion import judges, one_of, run_folders
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.cli.flag_groups import takes_flags
from mipha_eval.comparison.defaults import ALPHA, RESAMPLES
from mipha_eval.core.errors import UserError

#: what the gate says -> how the command ends
OUTCOMES = {"passed": ExitCode.OK, "failed": ExitCode.REGRESSION, "cannot tell": ExitCode.INCOMPLETE}


@takes_flags()
def compare_stored_runs(
    runs: Annotated[
        list[Path],
        typer.Argument(
            autocompletion=run_folders,
            help="Two or more of: run folders, answer files, files that score --json printed. First: baseline.",
        ),
    ],
    answers: AnswerFlags = NO_ANSWERS,
    metric: Annotated[
        Optional[list[str]],
        typer.Option(
            "--metric",
            autocompletion=one_of("all"),
            help="Also this metric, beside each task's headline; repeatable; all for all.",
        ),
    ] = None,
    all_pairs: Annotated[bool, typer.Option("--all-pairs", help="Every two runs, not only each with the baseline.")] = False,
    format: Annotated[
        Optional[Literal["md", "json", "html"]], typer.Option("--format", help="A table for people unless given.")
    ] = None,
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="Write to this file; its ending gives the format.")
    ] = None,
    resamples: Annotated[
        int, typer.Option("--resamples", min=100, max=1_000_000, help="Of the permutation test.")
    ] = RESAMPLES,
    alpha: Annotated[float, typer.Option("--alpha", help="Significance level; intervals are at 1 - alpha.")] = ALPHA,
    fail_on_regression: Annotated[
        bool,
        typer.Option(
            "--fail-on-regression",
            help="A gate: exit with 4 if the headline of a task is significantly below the baseline's, with Holm's "
            "correction over all that the table shows, or if answers are lost; with 3 if it cannot be told.",
        ),
    ] = False,
    allow_missing: Annotated[
        int,
        typer.Option(
            "--allow-missing",
            min=0,
            metavar="N",
            help="How many answers of a task the gate lets a run lose: failed, missing, not judged, or more unparsed ones.",
        ),
    ] = 0,
    judge: Annotated[
        Optional[str],
        typer.Option("--judge", autocompletion=judges, help="Whose result to compare where several judges graded a task."),
    ] = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Compare stored runs, or answer files, question by question; needs no model, and data for answer files alone.

    Only questions that both runs scored count. Intervals and tests are clustered by image and paired; p-values are corrected
    for all that the table shows. Other protocols, judges or versions of a task are not compared.
    """
    from mipha_eval.comparison.compare import CompareSettings, compare_runs
    from mipha_eval.comparison.gate import Rule
    from mipha_eval.core.atomic import write_text
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.reporting.comparison.terminal import print_comparison
    from mipha_eval.reporting.comparison.write import chosen_format, comparison_text

    chosen = chosen_format("json" if json else format, output)
    if allow_missing and not fail_on_regression:
        raise UserError("--allow-missing is for a gate; add --fail-on-regression")
    gate = Rule(fail_on_regression, allow_missing)
    registry = Registry(plugin or ())
    folders = answers.runs(runs, registry)
    config = CompareSettings(folders, answers.named, metric or (), all_pairs, judge, resamples, alpha, gate)
    comparison = compare_runs(config, registry)
    if output is not None:
        write_text(output, comparison_text(comparison, chosen or "md"))
    elif chosen is not None:
        typer.echo(comparison_text(comparison, chosen), own_output(), nl=False)
    if output is not None or chosen is None:
        print_comparison(comparison, flags.console())
    if fail_on_regression:
        raise typer.Exit(OUTCOMES[comparison.gate.outcome])
