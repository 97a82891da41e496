"""``mipha-eval inspect``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import model_names

if TYPE_CHECKING:
    from mipha_eval.core.json_value import Json as JsonValue
    from mipha_eval.core.plugins.model import Model
    from mipha_eval.models.inspection.inspection import Inspection

#: a number of bytes, or of numbers, in words
STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def inspect_model(
    path: Annotated[str, typer.Argument(help="A checkpoint: a folder, or a repository of the hub.")],
    model: Annotated[
        Optional[str],
        typer.Option("--model", "-m", autocompletion=model_names, help="The model that is to run it; else it is found."),
    ] = None,
    options: flags.Options = None,
    device: flags.Device = None,
    dtype: flags.Dtype = None,
    allow_bin: flags.AllowBin = False,
    digest: Annotated[
        bool, typer.Option("--digest/--no-digest", help="Read all files once for the digest by which runs are found again.")
    ] = True,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Tell what a checkpoint is, how it will be asked and what it needs, before a weight is read."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_model
    from mipha_eval.models.checkpoint_folder import locate_checkpoint
    from mipha_eval.models.inspection.inspect import inspect_checkpoint
    from mipha_eval.models.inspection.which_model import model_for
    from mipha_eval.reporting.terminal import print_lines

    given = {"path": path, **flags.option_texts(options)}
    if model is None:
        base = locate_checkpoint(given["base"], pickled=allow_bin) if "base" in given else None
        model = model_for(locate_checkpoint(path, given.get("revision"), pickled=allow_bin), base)
    chosen = build_model(
        model, {**given, **flags.model_options(device, dtype, False, False, allow_bin, None)}, Registry(plugin or ())
    )
    found = inspect_checkpoint(chosen, digest=digest)
    if json:
        flags.print_json({**found.as_json(), "command": command(chosen)})
    else:
        print_lines(flags.console(), [*_lines(found), *([] if found.refusal else [command(chosen)])])
    if found.refusal:
        raise found.refusal


def _lines(found: Inspection) -> Iterator[str]:
    yield f"{found.path}: the model {found.model} {'cannot run it' if found.refusal else 'runs it'}"
    for section, facts in found.sections.items():
        shown = {name: _told(name, value) for name, value in facts.items() if value is not None}
        if not shown:
            continue
        yield f"{section.replace('_', ' ')}:"
        width = max(map(len, shown))
        yield from (f"  {name.replace('_', ' '):<{width}}  {text}" for name, text in shown.items())
    yield from (f"note: {line}" for line in found.warnings)


def _told(name: str, value: JsonValue) -> str:
    """A fact in words. `name` tells what a number counts."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _short(value, "B") if name.endswith("bytes") else _short(value) if value >= 100_000 else str(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {_told(key, each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(_told(name, each) for each in value)
    return repr(value) if name == "text" else str(value)


def _short(number: int, unit: str = "") -> str:
    size, letter = next(((size, letter) for size, letter in STEPS if number >= size), (1, ""))
    return f"{number / size:.4g} {letter}{unit}".rstrip()


def command(model: Model) -> str:
    """A command line that asks the model something."""
    from mipha_eval.core.plugins.selection import FLAGS

    given = {key: text for key, text in model.options.items() if key not in FLAGS}
    set_apart = [f"{FLAGS[key]} {text}" for key, text in model.options.items() if key in ("device", "dtype")]
    set_apart += ["--allow-bin"] if "allow_bin" in model.options else []
    options = [f"-a {shlex.quote(f'{key}={text}')}" for key, text in given.items()]
    return " ".join(["mipha-eval run --tasks mme --model", model.name, *options, *set_apart])
