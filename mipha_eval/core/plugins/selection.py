"""Tasks and models by name, with their options."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import MissingDataError, UserError
from mipha_eval.core.options import option_fields, parse_pairs, typed_options, unknown
from mipha_eval.core.plugins.blame import blaming
from mipha_eval.core.plugins.checks.refusal import refusal, shown
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.task import Task

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelChoice:
    """A model by name; `options` are ``key=value`` texts, those with a dot in the key being a task's.

    `no_share` asks a model that shares work between the requests of a batch not to; `compile` asks it to compile its layers.
    """

    name: str
    options: Sequence[str] = ()
    device: str | None = None
    dtype: str | None = None
    no_share: bool = False
    compile: bool = False


def build_adapter(choice: ModelChoice, registry: Registry) -> tuple[ModelAdapter, str | None]:
    """The adapter with its options, and the data that its preset is made for."""
    owner, preset = registry.load("model_adapters", choice.name)
    clash = next((key for key in option_fields(owner) if key in {*vars(ModelAdapter), *ModelAdapter.__annotations__}), None)
    if clash is not None:
        raise UserError(
            f"model {choice.name} calls an option {clash}, which is a method of every model; it needs another name"
        )
    preset = dict(preset)
    data_default = preset.pop("data", None)
    given = {key: text for key, text in parse_pairs(choice.options).items() if "." not in key}
    flags = {
        "device": choice.device,
        "dtype": choice.dtype,
        "share": "false" if choice.no_share else None,
        "compile": "true" if choice.compile else None,
    }
    for key, value in flags.items():
        if value is not None and key not in option_fields(owner):
            what = "answering without sharing" if key == "share" else key
            flag = "--no-share" if key == "share" else f"--{key}"
            raise UserError(f"{what} does not apply to model {choice.name}", flag=flag)
        given |= {} if value is None else {key: value}
    values = typed_options(owner, {**preset, **given}, choice.name)
    missing = [
        entry.name
        for entry in dataclasses.fields(owner)
        if entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING and entry.name not in values
    ]
    if missing:
        raise UserError(f"model {choice.name} needs {' and '.join(f'-a {name}=...' for name in missing)}")
    with blaming():
        adapter: ModelAdapter = owner(**values)
    return adapter, data_default


def build_tasks(names: Sequence[str], options: Sequence[str], source: DataSource, registry: Registry) -> list[Task]:
    """Tasks by ``name`` or ``name@protocol``; options of a task are given as ``task.key=value``."""
    pairs = parse_pairs(options)
    if not names:
        raise UserError("no task was named; see `mipha-eval list tasks`")
    tasks = list({task.label: task for task in (build_task(name, pairs, source, registry) for name in names)}.values())
    if source.annotations is not None and len(tasks) > 1:
        raise UserError("an annotation file belongs to one task; name one", flag="--annotations")
    asked = {task.name.replace("-", "_") for task in tasks}
    for name in source.image_dirs:
        if name.replace("-", "_") not in asked:
            raise UserError(unknown("task with an image folder", name, asked), flag="--image-dir")
    for key in pairs:
        if "." in key and key.split(".")[0] not in asked:
            raise UserError(unknown("task in option", key, asked))
    return tasks


def build_task(name: str, options: Mapping[str, str], source: DataSource, registry: Registry) -> Task:
    """A task under the named or the default protocol."""
    plain, _, protocol = name.partition("@")
    owner, _ = registry.load("tasks", plain)
    if protocol.startswith("demo") and source.kind != "demo":
        raise UserError(f"{name} is of the embedded demo; give demo as data", flag="--data demo")
    protocol = protocol.removeprefix("demo").removeprefix("-")
    served = list(owner.hub) if source.kind == "hub" else list(owner.protocols)
    if not served:
        raise MissingDataError(f"{plain} is not on the hub; give a folder with its files", flag="--data FOLDER")
    if not protocol:
        protocol = served[0]
        if protocol != next(iter(owner.protocols)):
            logger.info("%s: the hub serves %s@%s", plain, plain, protocol)
    if protocol not in owner.protocols:
        raise UserError(unknown("protocol", protocol, owner.protocols, f"{plain} has"))
    if source.annotations is not None:
        _check_annotations(f"{plain}@{protocol}", protocol in owner.annotated, source)
    if protocol not in served:
        raise UserError(
            f"{plain}@{protocol} is not on the hub, only {plain}@{served[0]}; give a folder with its files",
            flag="--data FOLDER",
        )
    prefix = owner.name.replace("-", "_") + "."
    own = {key.removeprefix(prefix): text for key, text in options.items() if key.startswith(prefix)}
    with blaming():
        task: Task = owner(protocol=protocol, data=source, **typed_options(owner, own, plain))
    if task.name != owner.name or task.protocol != protocol or task.label != Task.label.__get__(task):
        raise refusal(
            owner, "label", f"task {plain} calls itself {shown(task.label)}; a task is called by its name and protocol"
        )
    return task


def _check_annotations(label: str, taken: bool, source: DataSource) -> None:
    if not taken:
        raise UserError(f"{label} takes no annotation file", flag="--annotations")
    if source.kind == "hub":
        raise UserError("an annotation file goes with a folder where the images are; give one", flag="--data FOLDER")
    if not Path(source.annotations or "").is_file():
        raise UserError(f"annotation file {source.annotations} does not exist", flag="--annotations")


def task_options(task: Task) -> dict[str, Any]:
    """A task's own options and their values."""
    values = {key: getattr(task, key) for key in option_fields(type(task))}
    return {key: value.resolve() if isinstance(value, Path) else value for key, value in values.items()}
