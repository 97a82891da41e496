"""Tasks, models and data sources from what a user typed."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import MissingDataError, PluginError, RowError, UserError
from mipha_eval.core.options import option_fields, parse_pairs, typed_options, unknown
from mipha_eval.core.plugins.blame import blaming, is_foreign, place_of
from mipha_eval.core.plugins.checks.questions import wrong_category, wrong_sample
from mipha_eval.core.plugins.checks.refusal import refusal, shown
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.task import Task, question_core
from mipha_eval.core.types import Sample

#: questions of a task; the largest benchmark, all of VQAv2, has 1.1 million
MOST_QUESTIONS = 3_000_000


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


def parse_source(text: str, image_dirs: Mapping[str, Path]) -> DataSource:
    """Reads ``--data``: ``demo``, ``hub``, ``hub:MIRROR`` or a folder."""
    if text == "demo":
        from mipha_eval.demo.files import demo_folder

        return DataSource("demo", demo_folder(), image_dirs)
    if text == "hub":
        return DataSource("hub", None, image_dirs)
    if text.startswith("hub:"):
        return DataSource("hub", _existing_folder(text[4:]), image_dirs)
    return DataSource("folder", _existing_folder(text), image_dirs)


def _existing_folder(text: str) -> Path:
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise UserError(f"--data {text}: no such folder; give a folder in LLaVA's eval layout, 'hub' or 'demo'")
    return folder.resolve()


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
            raise UserError(f"--{'no-' * (key == 'share')}{key} does not apply to model {choice.name}")
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
        raise UserError("--annotations belongs to one task; name one")
    asked = {task.name.replace("-", "_") for task in tasks}
    for name in source.image_dirs:
        if name.replace("-", "_") not in asked:
            raise UserError(unknown("task in --image-dir", name, asked))
    for key in pairs:
        if "." in key and key.split(".")[0] not in asked:
            raise UserError(unknown("task in option", key, asked))
    return tasks


def build_task(name: str, options: Mapping[str, str], source: DataSource, registry: Registry) -> Task:
    """A task under the named or the default protocol."""
    plain, _, protocol = name.partition("@")
    owner, _ = registry.load("tasks", plain)
    if protocol.startswith("demo") and source.kind != "demo":
        raise UserError(f"{name} is the embedded demo; add --data demo")
    protocol = protocol.removeprefix("demo").removeprefix("-")
    served = list(owner.hub) if source.kind == "hub" else list(owner.protocols)
    if not served:
        raise MissingDataError(f"{plain} is not on the hub; give --data FOLDER")
    if not protocol:
        protocol = served[0]
        if protocol != next(iter(owner.protocols)):
            print(f"{plain}: the hub serves {plain}@{protocol}", file=sys.stderr)
    if protocol not in owner.protocols:
        raise UserError(unknown("protocol", protocol, owner.protocols, f"{plain} has"))
    if source.annotations is not None:
        _check_annotations(f"{plain}@{protocol}", protocol in owner.annotated, source)
    if protocol not in served:
        raise UserError(f"{plain}@{protocol} is not on the hub, only {plain}@{served[0]}; give --data FOLDER")
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
        raise UserError(f"{label} takes no --annotations")
    if source.kind == "hub":
        raise UserError("--annotations goes with files; give --data FOLDER, where the images are")
    if not Path(source.annotations or "").is_file():
        raise UserError(f"--annotations {source.annotations} does not exist")


def task_options(task: Task) -> dict[str, Any]:
    """A task's own options and their values."""
    values = {key: getattr(task, key) for key in option_fields(type(task))}
    return {key: value.resolve() if isinstance(value, Path) else value for key, value in values.items()}


def read_questions(task: Task) -> list[Sample]:
    """All questions as they stand in the files: ids may occur twice.

    Raises:
        MissingDataError: the files are not there.
        UserError: there are no questions, or the files are not in the benchmark's form.
    """
    with naming_the_data(task):
        samples = list(itertools.islice(task.samples(), MOST_QUESTIONS + 1))
    if not samples:
        raise UserError(f"{task.label} has no questions in {task.data}")
    if len(samples) > MOST_QUESTIONS:
        raise _wrong_data(task, f"there are more than {MOST_QUESTIONS:,} questions; does samples() come to an end?")
    wrong = next(filter(None, map(wrong_sample, samples)), "")
    if wrong:
        raise _wrong_data(task, wrong)
    return samples


def read_samples(task: Task) -> list[Sample]:
    """All questions of a task.

    Raises:
        UserError: there are none, two have the same id, or the files are not in the benchmark's form.
    """
    samples = read_questions(task)
    wrong = wrong_category(samples)
    if wrong:
        raise _wrong_data(task, wrong)
    twice = [name for name, count in Counter(sample.id for sample in samples).items() if count > 1]
    if twice:
        raise UserError(f"{task.label}: {task.data} has {len(twice)} questions twice, first {twice[0]}")
    return samples


def _wrong_data(task: Task, wrong: str) -> UserError:
    """Questions that are none: a bundled task makes them so of files that are not in the benchmark's form."""
    if is_foreign(type(task)):
        return PluginError(f"{task.label}, {task.data}: {wrong} ({place_of(type(task), 'samples')})")
    return UserError(f"{task.label}, {task.data}: {wrong}")


def has_samples(task: Task) -> None:
    """Reads the first question; raises UserError if there is none or it has no text."""
    with naming_the_data(task):
        first = next(iter(task.samples()), None)
    if first is None:
        raise UserError(f"{task.label} has no questions in {task.data}")
    if wrong := wrong_sample(first):
        raise _wrong_data(task, wrong)
    check_texts(task, [first])


def check_texts(task: Task, samples: Sequence[Sample]) -> None:
    """Raises UserError if a question has no text, so that it could be scored but not asked."""
    if not all(question_core(sample.question) for sample in samples):
        raise UserError(f"{task.label}: questions in {task.data} have no text; is the question file beside the annotations?")


@contextlib.contextmanager
def naming_the_data(task: Task) -> Iterator[None]:
    """Turns what unexpected rows lead to into a UserError that names task and data, and a plugin's file and line."""
    try:
        with blaming(f"are the files in {task.data} in the form that {task.label} expects?"):
            yield
    except RowError as error:
        raise UserError(f"{task.label}: {error}") from error
    except (AttributeError, KeyError, ValueError, TypeError, IndexError) as error:
        raise UserError(f"{task.label}: the files in {task.data} are not in the expected form: {error!r}") from error
