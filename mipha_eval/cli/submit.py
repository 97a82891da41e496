"""``mipha-eval submit``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from mipha_eval.cli import flags

logger = logging.getLogger(__name__)


def submit_answers(
    task: Annotated[str, typer.Argument(help="vqav2@testdev, vizwiz@test or mmbench@test.")],
    answers: Annotated[Path, typer.Option("--answers", help="LLaVA's answer JSONL, every question answered.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The upload, .json, .tsv or .xlsx as the server wants it.")],
    data: flags.Data = None,
    plugin: flags.Plugins = None,
) -> None:
    """Write the file that a benchmark's server takes, and check it."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_task
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.scoring.submission import submit

    rows = submit(build_task(task, {}, parse_source(data or "hub", {}), Registry(plugin or ())), answers, output)
    logger.info("%s rows in %s, checked", f"{rows:,}", output)
