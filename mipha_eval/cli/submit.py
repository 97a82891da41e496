"""``mipha-eval submit``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import task_names
from mipha_eval.core.errors import UserError

if TYPE_CHECKING:
    from mipha_eval.core.plugins.registry import Registry

logger = logging.getLogger(__name__)


def submit_answers(
    task: Annotated[str, typer.Argument(autocompletion=task_names, help="vqav2@testdev, vizwiz@test or mmbench@test.")],
    answers: Annotated[Path, typer.Option("--answers", exists=True, help="LLaVA's answer JSONL, every question answered.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The upload, .json, .tsv or .xlsx as the server wants it.")],
    dev: Annotated[
        bool, typer.Option("--dev", help="Also for a split whose labels are public, which `score` scores without a server.")
    ] = False,
    data: flags.Data = None,
    plugin: flags.Plugins = None,
) -> None:
    """Write the file that a benchmark's server takes, and check it."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_task
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.scoring.submission import submit

    registry = Registry(plugin or ())
    built = build_task(named_upload(task, registry), {}, parse_source(data or "hub", {}), registry)
    if built.protocol.rpartition("-")[2] == "dev" and not dev:
        raise UserError(
            f"the labels of {built.label} are public, and `score` needs no server; to upload it nevertheless", flag="--dev"
        )
    rows = submit(built, answers, output)
    logger.info("%s: %s rows in %s, checked", built.label, f"{rows:,}", output)


def named_upload(name: str, registry: Registry) -> str:
    """A task with the protocol that its server takes. Raises UserError where none is named and there are several."""
    from mipha_eval.core.upload_task import UploadTask

    owner, _ = registry.load("tasks", name.partition("@")[0])
    if "@" in name or not issubclass(owner, UploadTask):
        return name
    labels = [f"{name}@{protocol}" for protocol in owner.uploads]
    if len(labels) > 1:
        raise UserError(f"uploads of {name} are {', '.join(labels)}; name one of them")
    return labels[0]
