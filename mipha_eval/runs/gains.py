"""How far a stored run is above its controls, or a control's run below the model's own."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from mipha_eval.comparison.gain import Gain, gain
from mipha_eval.core.controls import Control
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.task import Task
from mipha_eval.judge.stored_task import StoredTask, stored_task
from mipha_eval.runs.siblings import siblings
from mipha_eval.runs.stored_run import Run
from mipha_eval.store.results import choose_result
from mipha_eval.store.run_folder import RunFolder

logger = logging.getLogger(__name__)


def visual_gains(run: Run | str | Path, *, metrics: Sequence[str] = (), plugins: Sequence[str | Path] = ()) -> list[Gain]:
    """The model's values less its controls', of every task that both runs have scored.

    Args:
        run: the model's own run, or its run under a control; the others are looked for beside it, the newest of each.
        metrics: beside each task's headline, where a task has them.
        plugins: Python files with the tasks that it needs beside the bundled ones.

    Raises:
        UserError: `run` is no run folder.
    """
    path = run.path if isinstance(run, Run) else Path(run)
    if not (path / "manifest.json").exists():
        raise UserError(f"{path} is no run folder: it has no manifest.json")
    return find_gains(RunFolder.open(path), (), Registry([Path(each) for each in plugins]), metrics)


def find_gains(folder: RunFolder, tasks: Sequence[Task], registry: Registry, metrics: Sequence[str] = ()) -> list[Gain]:
    """The same. What a control's run lacks for it is told as a warning.

    Args:
        tasks: those that were asked for, which are there already; the run's others are built again, and nobody is warned of
            what they lack. Without any, all were asked for.
    """
    found, control, known = [], folder.manifest().asked_under, {task.label: task for task in tasks}
    beside = [each.folder for each in siblings(folder) if control is None or each.control is None]
    for label in folder.tasks() if control or beside else ():
        tell = partial(logger.log, logging.WARNING if label in known or not known else logging.DEBUG)
        try:
            own = _stored(folder, known.get(label) or stored_task(folder, label, registry))
        except UserError as error:  # its plugin is not here, or a file is damaged
            tell("%s: no gain: %s", label, error)
            continue
        pairs = _pairs(own, control, beside, tell) if own is not None else ()
        found += [each for model, other in pairs for each in _gains(model, other, metrics, tell)]
    return found


def _pairs(
    own: StoredTask, control: Control | None, beside: Sequence[RunFolder], tell: Callable[..., None]
) -> Iterator[tuple[StoredTask, StoredTask]]:
    """A task of the model and of its control, for each control; of several runs under one the newest counts."""
    others: dict[Control | None, StoredTask] = {}
    for folder in beside:
        with contextlib.suppress(UserError):  # a damaged run is none to compare with
            other = _stored(folder, own.task)
            if other is not None:
                others[folder.manifest().asked_under] = other
    if control and not others:
        tell(
            "%s: no gain over %s without the model's own answers in %s; the same command without the control makes them",
            *(own.label, control, own.run.parent),
        )
    yield from ((other, own) if control else (own, other) for other in others.values())


def _gains(model: StoredTask, control: StoredTask, metrics: Sequence[str], tell: Callable[..., None]) -> Iterator[Gain]:
    """In the headline and in further metrics that the model's result has."""
    headline = model.summary.headline
    for name in dict.fromkeys([headline, *(each for each in metrics if each in model.summary.metrics)]):
        try:
            yield gain(model, control, name)
        except UserError as error:
            tell("%s: no gain in %s over %s: %s", model.label, name, control.run, error)


def _stored(folder: RunFolder, task: Task) -> StoredTask | None:
    """A task of a run; None if it has no result."""
    results = folder.results_of(task.label)
    if not results:
        return None
    record = folder.task(task.label).read_task()
    return StoredTask(folder.path, folder.manifest().display_name, task.label, task, record, choose_result(results))
