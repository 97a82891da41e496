"""``mipha-eval check model``."""

from __future__ import annotations

from typing import Annotated

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import model_names, task_names
from mipha_eval.cli.findings import tell_findings


def check_model(
    name: Annotated[str, typer.Argument(autocompletion=model_names, help="A model; see `mipha-eval list models`.")],
    options: flags.Options = None,
    task: Annotated[
        str, typer.Option("--task", "-t", autocompletion=task_names, help="Whose first questions the model is asked.")
    ] = "pope",
    data: flags.Data = None,
    device: flags.Device = None,
    dtype: flags.Dtype = None,
    no_share: flags.NoShare = False,
    allow_bin: flags.AllowBin = False,
    serve: flags.Serve = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Ask a model a few questions of the demo, and tell what would make a run's results wrong, a point a line."""
    from mipha_eval.authoring.check_model.check_model import check_model as look
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_model, build_task
    from mipha_eval.data.parse_source import parse_source

    registry = Registry(plugin or ())
    given = {**flags.option_texts(options), **flags.model_options(device, dtype, no_share, False, allow_bin, serve)}
    chosen = build_model(name, given, registry)
    registry.check_files()
    asked = build_task(task, {}, parse_source(data or "demo", {}), registry)
    tell_findings(look(chosen, asked), {"model": name, "task": asked.label}, json=json)
