"""``mipha-eval new``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import kinds_and_scorers

if TYPE_CHECKING:
    from mipha_eval.authoring.new.draft import Draft

new_verbs = typer.Typer(rich_markup_mode=None)

Kind = Annotated[
    str,
    typer.Option(
        "--kind",
        "-k",
        autocompletion=kinds_and_scorers,
        help="What its questions ask for: yesno, choice, short, caption or open (graded by a judge); or the name of a stock "
        "scorer, such as exact.",
    ),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")]


@new_verbs.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """Begin a benchmark, a model or a package: files that run at once, to be changed into your own."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@new_verbs.command("task")
def new_task(
    name: Annotated[str, typer.Argument(help="What the benchmark is to be called.")],
    kind: Kind = "short",
    output: Output = Path(),
    json: flags.Json = False,
) -> None:
    """Write a benchmark: one Python file, five questions about drawn pictures beside it, and a test."""
    from mipha_eval.authoring.new.task import task_draft

    _write(task_draft(name, kind), output, json)


@new_verbs.command("model")
def new_model(
    name: Annotated[str, typer.Argument(help="What the model is to be called.")],
    output: Output = Path(),
    json: flags.Json = False,
) -> None:
    """Write a model's adapter: one Python file that answers at once, and a test."""
    from mipha_eval.authoring.new.model import model_draft

    _write(model_draft(name), output, json)


@new_verbs.command("package")
def new_package(
    name: Annotated[str, typer.Argument(help="What the package and its benchmark are to be called.")],
    kind: Kind = "short",
    output: Output = Path(),
    json: flags.Json = False,
) -> None:
    """Write a package with a benchmark and a model: entry points, data, tests and a workflow for GitHub."""
    from mipha_eval.authoring.new.package import package_draft

    _write(package_draft(name, kind), output, json)


def _write(draft: Draft, output: Path, json: bool) -> None:
    from mipha_eval.reporting.terminal import print_lines

    written, commands = draft.write(output), draft.commands(output)
    if json:
        flags.print_json({"files": [str(path) for path in written], "next": commands})
        return
    console = flags.console()
    print_lines(console, [f"wrote {path}" for path in written])
    width = max(map(len, commands))
    print_lines(console, [f"{aim + ':':<{width + 1}} {command}" for aim, command in commands.items()])
