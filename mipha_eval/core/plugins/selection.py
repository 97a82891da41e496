"""Tasks and models by name, with their options."""

from __future__ import annotations

import dataclasses
import inspect
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.asking import ASKING, Askings, read_askings
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import MissingDataError, PluginError, UserError
from mipha_eval.core.options import did_you_mean, option_fields, required_options, typed_options, unknown
from mipha_eval.core.plugins.blame import blaming, is_foreign
from mipha_eval.core.plugins.checks.refusal import refusal, shown
from mipha_eval.core.plugins.model import Model, check_heeded, option_name, published_options
from mipha_eval.core.plugins.plugin_code import plain_name
from mipha_eval.core.plugins.references import is_reference, is_suites, is_table, referenced_task, suites_tasks
from mipha_eval.core.plugins.registry import PACKAGE, Registry, own_module
from mipha_eval.core.task import Task
from mipha_eval.core.task_label import TaskLabel

#: options that have flags of their own on the command line
FLAGS = {
    "device": "--device",
    "dtype": "--dtype",
    "share": "--no-share",
    "compile": "--compile",
    "allow_bin": "--allow-bin",
    "serve": "--serve",
}

logger = logging.getLogger(__name__)


def split_options(
    options: Mapping[str, str], registry: Registry, tasks: Sequence[Task] = ()
) -> tuple[dict[str, str], dict[str, str]]:
    """Options of the model, and those of tasks, which have a dot in their names: ``task.key``.

    How a benchmark is asked (``pope.prompt``) is the model's matter, unless the task has an option of that name.

    Args:
        tasks: those that no plugin's name stands for.
    """
    classes: dict[str, type] = {option_name(task.name): type(task) for task in tasks}
    of_tasks = {}
    for key, text in options.items():
        task, dot, name = key.rpartition(".")
        named = (
            next((each for each in registry.names("tasks") if option_name(each) == task), None) if name in ASKING else None
        )
        owner = classes.get(task) or (registry.load("tasks", named)[0] if named else None)
        if dot and not (name in ASKING and (owner is None or name not in option_fields(owner))):
            of_tasks[key] = text
    return {key: text for key, text in options.items() if key not in of_tasks}, of_tasks


def of_task(task: str, options: Mapping[str, str]) -> dict[str, str]:
    """Options of one task, whose names need not say so, as ``task.key``. Raises UserError for one of another task.

    Those of a table of questions stay as they are: what it is called is known when it is read.
    """
    if is_reference(task):
        return dict(options)
    name = task.partition("@")[0].replace("-", "_")
    named = {key if "." in key else f"{name}.{key}": text for key, text in options.items()}
    other = next((key for key in named if not key.startswith(f"{name}.")), None)
    if other is not None:
        raise UserError(f"option {other} is of another task than {task}")
    return named


def build_model(name: str, options: Mapping[str, str], registry: Registry, *, as_published: bool = False) -> Model:
    """A model by name.

    Args:
        options: of the adapter, and how it is asked (`Asking`), of one benchmark as ``task.key``.
        as_published: ask it as the preset's paper or card asked it.

    Raises:
        UserError: there is no such model, or an option does not exist, does not fit or is missing.
    """
    preset = registry.preset(name)
    owner, usual = registry.load("model_adapters", name)
    known = option_fields(owner)
    other = next((key for key in options if key in FLAGS and key not in known), None)
    if other is not None:
        what = "answering without sharing" if other == "share" else other
        raise UserError(f"{what} does not apply to model {name}", flag=FLAGS[other])
    asked = {key: text for key, text in options.items() if key.rpartition(".")[2] in ASKING and key not in known}
    given = {key: text for key, text in options.items() if key not in asked}
    wrong = next((key for key in given if key not in known), None)
    if wrong is not None:
        raise UserError(unknown("option", wrong, {*known, *owner.heeds}, f"{name} has"), flag="-a")
    check_heeded(name, owner, (key.rpartition(".")[2] for key in asked))
    theirs, askings = published_options(preset, name, owner, options) if as_published else ({}, Askings())
    values = typed_options(owner, {**usual, **theirs, **given}, name)
    missing = required_options(owner) - values.keys()
    if missing:
        raise UserError(f"model {name} needs {' and '.join(f'-a {name}=...' for name in sorted(missing))}", flag="-a")
    with blaming():
        adapter: ModelAdapter = owner(**values)
    return Model(
        name,
        adapter,
        preset.data if preset else "",
        dict(options),
        askings.updated(read_askings(asked, name)),
        typed_options(owner, usual, name),
        preset if as_published else None,
        named=True,
    )


def build_tasks(
    names: Sequence[str],
    options: Mapping[str, str],
    source: DataSource,
    registry: Registry,
    failed: dict[str, Exception] | None = None,
) -> list[Task]:
    """Tasks by ``name`` or ``name@protocol``; options of a task are called ``task.key``.

    Args:
        failed: takes what is wrong with a plugin, by the task's name, so that the others go on; None raises it.

    Raises:
        UserError: a name, protocol or option does not exist, or no task can be used.
    """
    if not names:
        raise UserError("no task was named; see `mipha-eval list tasks`")
    broken: dict[str, Exception] = {}
    tasks = list({task.label: task for task in _built(names, options, source, registry, broken)}.values())
    if broken and (failed is None or not tasks):
        raise next(iter(broken.values()))
    if failed is not None:
        failed |= broken
    if source.annotations is not None and len(tasks) > 1:
        raise UserError("an annotation file belongs to one task; name one", flag="--annotations")
    asked = {task.name.replace("-", "_") for task in tasks} | {option_name(name) for name in broken}
    for name in source.image_dirs:
        if name.replace("-", "_") not in asked:
            raise UserError(unknown("task with an image folder", name, asked), flag="--image-dir")
    for key in options:
        if key.split(".")[0] not in asked:
            raise UserError(unknown("task in option", key, asked))
    return tasks


def _built(
    names: Sequence[str],
    options: Mapping[str, str],
    source: DataSource,
    registry: Registry,
    broken: dict[str, Exception],
) -> Iterator[Task]:
    """The tasks that can be used; of the others it is noted in `broken` why not."""
    tables: dict[str, str] = {}
    for name in names:
        try:
            found = suites_tasks(name) if is_suites(name) else [build_task(name, options, source, registry)]
        except PluginError as error:
            broken[name] = error
            continue
        except UserError as error:
            error.flag = error.flag or ("" if is_suites(name) else "--tasks")
            raise
        yield from found[:-1]
        task = found[-1]
        if is_table(name) and tables.setdefault(task.label, name) != name:
            other = tables[task.label]
            raise UserError(f"{other} and {name} are both called {task.label}; give one another name, ?name=NAME")
        yield task


def build_task(name: str, options: Mapping[str, str], source: DataSource, registry: Registry) -> Task:
    """A task under the named or the default protocol, that of a table of questions, or of another suite."""
    if is_suites(name):
        first, *others = suites_tasks(name)
        if others:
            raise UserError(f"{name} is {len(others) + 1} tasks; name one, such as {first.named}")
        return first
    if not is_reference(name):
        _check_no_file(name, registry)
        return _plugin_task(name, options, source, registry)
    task = referenced_task(name, options, source)
    if plain_name(task.name) in registry.names("tasks"):
        raise UserError(f"{name}: there is a task called {task.name} already; give the table another name, ?name=NAME")
    return task


def _check_no_file(name: str, registry: Registry) -> None:
    """Raises UserError for what is a file or folder here, and no task's name."""
    if TaskLabel.of(name).plugin in registry.names("tasks") or not Path(name).exists():
        return
    if name.endswith(".py"):
        raise UserError(f"{name} is a plugin's file; give it as one, and its task by name", flag=f"--plugin {name}")
    raise UserError(f"there is no task {name}, but a file or folder; name that as ./{name}")


def _plugin_task(name: str, options: Mapping[str, str], source: DataSource, registry: Registry) -> Task:
    asked = TaskLabel.of(name)
    plain, protocol = asked.plugin, asked.protocol
    owner, _ = registry.load("tasks", plain)
    source = own_source(owner, source) if owner.own_data else source
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
    _check_names(owner, own, plain)
    missing = required_options(owner) - own.keys()
    if missing:
        raise UserError(f"task {plain} needs {' and '.join(f'-a {prefix}{name}=...' for name in sorted(missing))}")
    with blaming():
        task: Task = owner(protocol=protocol, data=source, **typed_options(owner, own, plain))
    if task.protocol != protocol or not says_its_name(task):
        raise refusal(
            owner, "label", f"task {plain} calls itself {shown(task.label)}; a task is called by its name and protocol"
        )
    return task


def _check_names(owner: type[Task], options: Iterable[str], name: str) -> None:
    """Raises UserError for an option that neither a task nor a way of asking it has."""
    known = option_fields(owner)
    wrong = next((key for key in options if key not in known and getattr(owner, key, None) is None), None)
    if wrong is not None:
        meant = did_you_mean(wrong, {*known, *ASKING})
        own = f"{name} has {', '.join(sorted(known)) or 'none'}, and every benchmark {', '.join(sorted(ASKING))}"
        raise UserError(f"unknown option {wrong!r}; {f'{meant} ' if meant else ''}{own}", flag="-a")


def own_source(owner: type[Task], source: DataSource) -> DataSource:
    """The folder of a task's own file."""
    file = inspect.getfile(owner)
    return DataSource("folder", Path(file).resolve().parent, source.image_dirs, note=source.note)


def says_its_name(task: Task) -> bool:
    """Whether a task's label is what its class says: an official name is no instance's to take."""
    owner = type(task)
    drawn = "demo" if task.data.kind == "demo" else ""
    first = task.protocol == next(iter(owner.protocols), "")
    protocol = "-".join(filter(None, [drawn, "" if drawn and first else task.protocol]))
    taken = is_foreign(owner) and not owner.variation and own_module(f"{PACKAGE.name}.tasks.{owner.name.replace('-', '_')}")
    return task.label == str(TaskLabel(owner.name, protocol, owner.variation)) and not taken


def _check_annotations(label: str, taken: bool, source: DataSource) -> None:
    if not taken:
        raise UserError(f"{label} takes no annotation file", flag="--annotations")
    if source.kind == "hub":
        raise UserError("an annotation file goes with a folder where the images are; give one", flag="--data FOLDER")
    if not Path(source.annotations or "").is_file():
        raise UserError(f"annotation file {source.annotations} does not exist", flag="--annotations")


def deciding_options(adapter: ModelAdapter) -> dict[str, str]:
    """A model's options as texts, but for those that decide no answer."""
    named = [key for key in option_fields(type(adapter)) if key not in adapter.incidental]
    usual = {entry.name: entry.default for entry in dataclasses.fields(adapter) if entry.name in adapter.added}
    values = {key: getattr(adapter, key) for key in named}
    return {key: str(value) for key, value in values.items() if key not in usual or value != usual[key]}


def task_options(task: Task) -> dict[str, object]:
    """A task's own options and their values."""
    values = {key: getattr(task, key) for key in option_fields(type(task))}
    return {key: value.resolve() if isinstance(value, Path) else value for key, value in values.items()}
