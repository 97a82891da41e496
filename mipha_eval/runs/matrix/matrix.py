"""A matrix: every run that a list of models comes to, with all names, options and controls looked up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from pathlib import Path

import msgspec

from mipha_eval.core.controls import Control, chosen_control
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.plugins.plugin_code import plain_name
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_model, deciding_options
from mipha_eval.core.task import Task
from mipha_eval.data.parse_source import parse_source
from mipha_eval.judge.grading import begin_grading
from mipha_eval.models.served.price import Budget
from mipha_eval.runs.find_tasks import find_tasks
from mipha_eval.runs.matrix.model_names import model_names
from mipha_eval.runs.matrix.models_file import ModelEntry, ModelsFile, placed
from mipha_eval.runs.matrix.order import Shared
from mipha_eval.runs.model_by_name import model_by_name
from mipha_eval.runs.suites_judge import suites_judge


@dataclass(frozen=True)
class ChosenModel:
    """A model of a matrix.

    Attributes:
        place: where it is listed.
        label: what progress and tables call it.
    """

    place: str
    label: str
    model: Model
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True)
class PlannedRun:
    """A run of a matrix: a model, under a control or under none.

    Attributes:
        number: among all runs, from 0.
        label: what progress and tables call it.
    """

    number: int
    label: str
    model: Model
    control: Control | None


@dataclass(frozen=True)
class Matrix:
    """What is to be run.

    Attributes:
        stem: what the files with the table are called.
        tasks: the same for all runs.
        shared: what else is.
    """

    stem: str
    runs: Sequence[PlannedRun]
    tasks: Sequence[Task]
    shared: Shared

    def by_model(self) -> list[list[PlannedRun]]:
        """The runs of each model, its own first: one process makes them, so that weights are read once."""
        return [list(runs) for _, runs in groupby(self.runs, key=lambda run: id(run.model))]


def build_matrix(listed: ModelsFile, shared: Shared, options: Mapping[str, str]) -> Matrix:
    """Looks everything up, and reads no weights.

    Args:
        shared: its tasks and data win over those that are listed.
        options: of all models but floors, over those that are listed.

    Raises:
        UserError: a name, an option or a control does not exist or does not fit; names the place where it is listed.
    """
    registry = Registry([Path(each) for each in shared.plugins])
    chosen = [each for entry in listed.models for each in _variants(entry, options, registry, shared)]
    chosen += [_floor(name, f"{listed.place}: floors", registry) for name in listed.floors]
    if not chosen:
        raise UserError(f"{listed.place} names no model; give each an entry that begins with [[model]]")
    _check_different(chosen)
    labels = model_names([(each.label, each.model) for each in chosen])
    chosen = [replace(each, label=label) for each, label in zip(chosen, labels, strict=True)]
    names = shared.tasks or listed.tasks
    if not names:
        raise UserError(f"no task was named; give them, or tasks = ['pope'] in {listed.place}", flag="--tasks")
    data = shared.data or listed.data or _made_for(chosen)
    folders = {task: Path(folder) for task, folder in shared.image_dirs.items()}
    source = parse_source(data, folders, Path(shared.annotations) if shared.annotations else None)
    with suites_judge(names, shared.judge):
        tasks = find_tasks(names, shared.task_options, source, registry)
    for each in chosen:
        with placed(each.place):
            each.model.check_about(task.name for task in tasks)
    runs = _runs(chosen)
    known = msgspec.structs.replace(shared, tasks=tuple(task.named for task in tasks), data=data)
    return Matrix(listed.stem, runs, tasks, _with_judge(known, tasks, len(runs), registry))


def _variants(entry: ModelEntry, options: Mapping[str, str], registry: Registry, shared: Shared) -> list[ChosenModel]:
    """A model for each choice of its options' values."""
    with placed(entry.place):
        known = plain_name(entry.model) in registry.names("model_adapters")  # else it is a checkpoint
        floor = known and registry.load("model_adapters", entry.model)[0].floor
        controls = [control for name in entry.controls if (control := chosen_control(name)) is not None]
        if controls and floor:
            raise UserError("it looks at no picture and reads no question; a control says nothing of it")
        found = []
        for values in product(*entry.options.values()):
            given = dict(zip(entry.options, values, strict=True)) | ({} if floor else dict(options))
            published = entry.as_published or (shared.as_published and known and registry.preset(entry.model) is not None)
            model = model_by_name(entry.model, given, registry, as_published=published)
            found.append(ChosenModel(entry.place, entry.name, model, tuple(controls)))
        return found


def _floor(name: str, place: str, registry: Registry) -> ChosenModel:
    with placed(place):
        model = build_model(name, {}, registry)
        if not model.adapter.floor:
            raise UserError(f"{name} is no floor; models are entries, which begin with [[model]]")
        return ChosenModel(place, name, model)


def _check_different(chosen: Sequence[ChosenModel]) -> None:
    """Raises UserError for a model that is listed twice."""
    before: dict[object, ChosenModel] = {}
    for each in chosen:
        asked = each.model.askings, each.model.published is not None
        identity = each.model.name, str(deciding_options(each.model.adapter)), str(asked)
        first = before.setdefault(identity, each)
        if first is not each:
            raise UserError(f"{each.place}: the same model with the same options as {first.place}; leave one out")


def _made_for(chosen: Sequence[ChosenModel]) -> str:
    """The data that the models are made for; floors take what the others have. Raises UserError if these disagree."""
    found = {each.model.data or "hub": each for each in reversed(chosen) if not each.model.adapter.floor}
    if len(found) > 1:
        told = " and ".join(f"{each.label} of {data}" for data, each in reversed(found.items()))
        raise UserError(f"all models are asked the same, and {told}; say which", flag="--data")
    return next(iter(found), "hub")


def _runs(chosen: Sequence[ChosenModel]) -> list[PlannedRun]:
    found: list[PlannedRun] = []
    for each in chosen:
        found.append(PlannedRun(len(found), each.label, each.model, None))
        for control in each.controls:
            found.append(PlannedRun(len(found), f"{each.label} ({control})", each.model, control))
    twice = next((label for label, count in Counter(run.label for run in found).items() if count > 1), None)
    if twice is not None:
        raise UserError(f"two models are called {twice}; give each a name of its own")
    return found


def _with_judge(shared: Shared, tasks: Sequence[Task], runs: int, registry: Registry) -> Shared:
    """A budget is shared out, so that all runs together keep within it. Raises UserError for a judge of no use."""
    grading = begin_grading(shared.judge, Path(shared.grades) if shared.grades else None, registry)
    if grading is not None:
        grading.check(tasks)
    if shared.judge is None:
        return shared
    limits = shared.judge.budget
    each = Budget(*(None if most is None else most / runs for most in (limits.calls, limits.tokens, limits.usd)))
    return msgspec.structs.replace(shared, judge=replace(shared.judge, budget=each))
