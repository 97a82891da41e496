"""A run as a file: flags by their names in TOML, or what the manifest of an earlier run says was asked for."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from typer._click.globals import get_current_context
from typer.core import TyperOption
from typer.exceptions import TyperException

from mipha_eval.cli.completion import run_folders
from mipha_eval.cli.origin import PLACES
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import did_you_mean

if TYPE_CHECKING:
    from mipha_eval.core.json_value import Json

logger = logging.getLogger(__name__)

#: flags that are texts of pairs, and may be tables in a file
PAIRS = ("model_args", "image_dir", "columns")
MANIFEST = "manifest.json"
#: flags that a file cannot set
NO_KEYS = ("config", "help_all", "help")


def take_file(context: typer.Context, value: Optional[Path]) -> Optional[Path]:
    """Takes what a file says as the defaults of a verb's flags.

    Raises:
        UserError: the file is missing or damaged, or says what no flag takes.
    """
    if value is None or context.resilient_parsing:
        return value
    if context.default_map:
        raise UserError(f"{value}: another file says already what is to be run; name one")
    if not value.exists():
        raise UserError(f"{value} is neither a file nor the folder of a run; tasks are named otherwise", flag="--tasks")
    found = value / MANIFEST if value.is_dir() else value
    if found.suffix == ".json":
        context.default_map = _checked(asked_again(found), found, context)
    else:
        from mipha_eval.core.files import read_toml

        context.default_map = _checked(read_toml(found), found, context)
    return value


RunFile = Annotated[
    Optional[Path],
    typer.Argument(
        metavar="FILE",
        autocompletion=run_folders,
        callback=take_file,
        is_eager=True,
        help="A run as a file: flags in TOML, or an earlier run's folder.",
    ),
]
Config = Annotated[
    Optional[Path],
    typer.Option(
        "--config", metavar="FILE", autocompletion=run_folders, callback=take_file, is_eager=True, help="The same as FILE."
    ),
]


def of_this_model(options: Sequence[str] | None, model: str | None) -> list[str]:
    """Options without those that a file has for its own model, where another is asked; while the verb runs."""
    context = get_current_context(silent=True)
    defaults = context.default_map if context else None
    source = context.get_parameter_source("options") if context else None
    theirs = defaults.get("model") if defaults else None
    if context is None or theirs is None or model == theirs or source is None or source.name != "DEFAULT_MAP":
        return list(options or ())
    of_tasks = [each for each in options or () if "." in each.partition("=")[0]]
    place = context.meta.get(PLACES, {}).get("options")
    logger.info("%s: options of model %s, left out for %s", place, theirs, model)
    return of_tasks


def asked_again(path: Path) -> dict[str, Json]:
    """What a run's manifest says was asked for, by the names of flags. Raises UserError where it does not say all."""
    from mipha_eval.core.record import checked
    from mipha_eval.store.manifest import TypedRun, read_manifest

    manifest = read_manifest(path)
    config = manifest.config
    if manifest.answers is not None:
        raise UserError(f"{path} is of the answers in {manifest.answers}, which no model was asked for here")
    if "plugins" not in config:
        typed = " ".join(manifest.argv)
        raise UserError(f"{path} is of a version that did not keep all that was asked for; what was typed: {typed}")
    typed_run = checked(TypedRun, config, f"{path}, field config,")
    found: dict[str, Json] = {
        "model": manifest.model,
        "model_args": list(typed_run.model.options),
        "tasks": config.get("tasks"),
        "data": manifest.data,
        "annotations": manifest.annotations,
        "image_dir": [f"{task}={folder}" for task, folder in manifest.image_dirs.items()],
        "as_published": manifest.as_published,
        "plugin": config["plugins"],
        **{name: config.get(name) for name in ("output", "limit", "batch_size", "control", "check", "probabilities")},
    }
    judging = config.get("judging")
    found |= judging if isinstance(judging, dict) else {}
    return {name: value for name, value in found.items() if value not in (None, [], False)}


def _checked(told: Mapping[str, object], path: Path, context: typer.Context) -> dict[str, object]:
    """Values by the names of parameters. Raises UserError for what no flag takes."""
    known = {
        flag.removeprefix("--").replace("-", "_"): each
        for each in context.command.get_params(context)
        if isinstance(each, TyperOption)
        for flag in each.opts
        if flag.startswith("--") and flag.removeprefix("--").replace("-", "_") not in NO_KEYS
    }
    found: dict[str, object] = {}
    places: dict[str, str] = {}
    for key, value in told.items():
        name, place = key.replace("-", "_"), _place(path, key)
        if name not in known:
            meant = did_you_mean(name, known, 1) or f"keys are the names of flags of {context.info_name}"
            raise UserError(f"{place}: there is no key {key}; {meant}")
        param = known[name].name
        found[param], places[param] = _value(known[name], name, value, place, context), place
    context.meta[PLACES] = places
    return found


def _value(option: TyperOption, name: str, value: object, place: str, context: typer.Context) -> object:
    """A value as the flag would be given it. Raises UserError for one of another kind."""
    if isinstance(value, dict):
        if name not in PAIRS:
            raise UserError(f"{place}: {name} is no table; give a value")
        pairs = _pairs(value)
        value = list(pairs) if option.multiple else ",".join(pairs)
    if option.multiple:
        entries = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) for each in entries):
            raise UserError(f"{place}: expected a text, or a list of texts")
        return list(entries)
    wanted = option.is_flag
    if isinstance(value, list) or (wanted and not isinstance(value, bool)):
        raise UserError(f"{place}: expected {'true or false' if wanted else 'one value'}, given {value!r:.60}")
    text = value if wanted else str(value)
    try:
        option.process_value(context, text)
    except TyperException as error:
        from mipha_eval.cli.usage import fitting

        raise UserError(f"{place}: {fitting(error.message)}, given {value!r:.60}") from error
    return text


def _pairs(table: Mapping[str, object], before: str = "") -> list[str]:
    """Entries as ``key=value``, those of tables in it as ``key.inner=value``."""
    found = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _pairs(value, f"{before}{key}.")
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            found.append(f"{before}{key}={text}")
    return found


def _place(path: Path, key: str) -> str:
    """The file with the line that a key stands in, as far as that can be told, and the key."""
    pattern = re.compile(rf"\s*\[?\s*[\"']?{re.escape(key)}[\"']?\s*[\]=.]")
    lines = path.read_text(encoding="utf-8").splitlines()
    line = next((number for number, text in enumerate(lines, 1) if pattern.match(text)), None)
    return f"{path}, line {line}, {key}" if line and path.suffix != ".json" else f"{path}, {key}"
