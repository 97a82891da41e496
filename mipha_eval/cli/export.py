"""``mipha-eval export``."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import run_folders, tasks_of_run
from mipha_eval.cli.exit_code import ExitCode

logger = logging.getLogger(__name__)


class SuiteName(StrEnum):
    """Whose files can be written."""

    lmms_eval = "lmms-eval"
    vlmevalkit = "vlmevalkit"
    inspect = "inspect"
    llava = "llava"
    evalscope = "evalscope"


def export_answers(
    run: Annotated[Path, typer.Argument(autocompletion=run_folders, metavar="RUN", help="The folder of a run.")],
    to: Annotated[SuiteName, typer.Option("--to", help="The suite whose files are written.")],
    output: Annotated[
        Optional[Path],
        typer.Option("--output", "-o", help="The folder that the suite would write into; default: in the run."),
    ] = None,
    tasks: Annotated[
        Optional[str], typer.Option("--tasks", autocompletion=tasks_of_run, help="Tasks of the run as a,b; default: all.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Write a run's answers as another suite would have, for its viewer and its scorers; exit code 3 if it lacks a task."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.suites.export import ExportSettings, export_run

    wanted = [name.strip() for name in tasks.split(",")] if tasks else []
    done = export_run(ExportSettings(run, to.value, output, wanted, force), Registry(plugin or ()))
    for label, why in done.refused.items():
        logger.warning("%s: not written, %s", label, why)
    for note in done.notes:
        logger.warning("%s", note)
    if json:
        files = [str(path) for path in done.files]
        flags.print_json(
            {"folder": str(done.folder), "files": files, "notes": list(done.notes), "refused": dict(done.refused)}
        )
    else:
        for path in done.files:
            print(path)
    if done.refused:
        raise typer.Exit(ExitCode.INCOMPLETE)
