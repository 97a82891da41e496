"""``mipha-eval check``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.check_model import check_model
from mipha_eval.cli.completion import task_names
from mipha_eval.cli.findings import tell_findings
from mipha_eval.cli.flag_groups import takes_flags
from mipha_eval.cli.run_flags import DataFlags, TableFlags

check_verbs = typer.Typer(rich_markup_mode=None)


@check_verbs.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """Whether a benchmark or a model is as it should be, before it costs anything."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@check_verbs.command("task")
@takes_flags("annotations")
def check_benchmark(
    name: Annotated[
        str,
        typer.Argument(
            autocompletion=task_names, help="Its name, perhaps with @protocol; a Python file with one task; a table."
        ),
    ],
    what: TableFlags,
    where: DataFlags,
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

    folders = {task: str(folder) for task, folder in where.image_dirs.items()}
    (named,) = what.completed([name])
    given = Recipe(named, flags.option_texts(options), where.data or "demo", folders, tuple(map(str, plugin or ())))
    tell_findings(check_task(given.named(), limit or MOST), {"task": name}, json=json)


check_verbs.command("model")(check_model)
