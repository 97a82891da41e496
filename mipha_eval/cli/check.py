"""``mipha-eval check``."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.check_model import check_model
from mipha_eval.cli.exit_code import ExitCode

check_verbs = typer.Typer(rich_markup_mode=None)


@check_verbs.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """Whether a benchmark or a model is as it should be, before it costs anything."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@check_verbs.command("task")
def check_benchmark(
    name: Annotated[str, typer.Argument(help="Its name, perhaps with @protocol; a Python file with one task; a table.")],
    columns: flags.Columns = None,
    kind: flags.Kind = None,
    scorer: flags.Scorer = None,
    data: flags.Data = None,
    image_dir: flags.ImageDirs = None,
    limit: Annotated[
        Optional[int],
        typer.Option("--limit", "-L", min=1, help="Decode about N pictures and try the answers to about N questions."),
    ] = None,
    options: flags.Options = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Look at a task point by point, from its labels to its licence; exit code 2 if one is a fault."""
    from mipha_eval.authoring.check_task.check import check_task
    from mipha_eval.authoring.check_task.recipe import Recipe
    from mipha_eval.authoring.check_task.under_check import MOST
    from mipha_eval.core.options import parse_pairs
    from mipha_eval.reporting.terminal import print_lines

    folders = {task: str(folder) for task, folder in flags.image_dirs(image_dir).items()}
    (named,) = flags.with_table([name], columns, kind, scorer)
    given = Recipe(named, parse_pairs(options or ()), data or "demo", folders, tuple(map(str, plugin or ())))
    found, console = [], flags.console()
    for finding in check_task(given.named(), limit or MOST):
        found.append(finding)
        if not json:
            print_lines(console, [f"{'FAULT' if finding.level == 'fault' else finding.level:<5} {finding.line}"])
    levels = Counter(finding.level for finding in found)
    if json:
        counts = {"faults": levels["fault"], "notes": levels["note"]}
        flags.print_json({"task": name, **counts, "findings": [dataclasses.asdict(finding) for finding in found]})
    else:
        faults = f"{levels['fault']} {'fault' if levels['fault'] == 1 else 'faults'}"
        notes = f"{levels['note']} {'note' if levels['note'] == 1 else 'notes'}"
        print_lines(console, [f"{name}: {faults}, {notes}, {levels['ok']} in order"])
    if levels["fault"]:
        raise typer.Exit(ExitCode.USAGE)


check_verbs.command("model")(check_model)
