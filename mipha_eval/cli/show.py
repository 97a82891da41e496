"""``mipha-eval show``."""

from __future__ import annotations

import inspect
import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import names_of_kind
from mipha_eval.cli.flag_groups import takes_flags
from mipha_eval.cli.run_flags import DataFlags, TableFlags

if TYPE_CHECKING:
    from mipha_eval.authoring.show.facts import Shown
    from mipha_eval.reporting.picture.way import Way


class What(StrEnum):
    """What can be shown."""

    task = "task"
    model = "model"


class Picture(StrEnum):
    """How pictures can be shown."""

    auto = "auto"
    blocks = "blocks"
    sixel = "sixel"
    kitty = "kitty"
    path = "path"
    none = "none"


@takes_flags("annotations", "image_dir")
def show_plugin(
    what: Annotated[What, typer.Argument(help="task or model.")],
    name: Annotated[str, typer.Argument(autocompletion=names_of_kind, help="Its name, for a task perhaps with @protocol.")],
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="Questions to show; for 0 the task's files are not read.")
    ] = 2,
    picture: Annotated[
        Picture,
        typer.Option(
            help="How to show pictures on a terminal; elsewhere they are paths. blocks: coloured letters; sixel, kitty: "
            "pixels, which auto takes where the terminal is known to draw them."
        ),
    ] = Picture.auto,
    table: TableFlags = TableFlags(),
    where: DataFlags = DataFlags(),
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Show a task's protocols, metrics, size and questions with their pictures, or a model's options."""
    from mipha_eval.authoring.show.facts import look_at
    from mipha_eval.authoring.show.lines import entry_lines
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_task
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.reporting.terminal import print_lines

    registry = Registry(plugin or ())
    if what is What.model:
        shown = _model(registry, name)
        if json:
            flags.print_json(shown)
        else:
            print_lines(flags.console(), [line for key, value in shown.items() for line in entry_lines(key, value)])
        return
    (named,) = table.completed([name])
    looked = look_at(build_task(named, {}, parse_source(where.data or "demo", {}), registry), count)
    if json:
        flags.print_json(looked.json)
    else:
        _print_task(looked, picture)


def _print_task(shown: Shown, picture: Picture) -> None:
    from mipha_eval.authoring.show.lines import sample_lines, task_lines
    from mipha_eval.reporting.picture.show import show_picture
    from mipha_eval.reporting.picture.way import chosen_way
    from mipha_eval.reporting.terminal import print_lines

    console = flags.console()
    way = chosen_way(None if picture is Picture.auto else cast("Way", picture.value), console, os.environ)
    print_lines(console, list(task_lines(shown)))
    for number, (sample, reading) in enumerate(zip(shown.samples, shown.readings, strict=True), start=1):
        print_lines(console, [f"question {number}:"])
        for image in sample.images:
            show_picture(console, image, way)
        print_lines(console, list(sample_lines(sample, reading)))


def _model(registry: Any, name: str) -> dict[str, Any]:
    from mipha_eval.core.asking import Asking
    from mipha_eval.core.options import option_fields, type_name

    owner, options = registry.load("model_adapters", name)
    kinds, preset = option_fields(Asking), registry.preset(name)
    return {
        "model": name,
        "about": inspect.getdoc(inspect.getmodule(owner)),
        "help": inspect.getdoc(owner),
        "options": {key: type_name(kind) for key, kind in option_fields(owner).items()},
        "ways of asking": {key: type_name(kind) for key, kind in kinds.items() if key in owner.heeds},
        "preset": dict(options),
        **({"as published": preset.asked_options} if preset and preset.asked else {}),
    }
