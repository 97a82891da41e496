"""Stored runs as a page shows them: how each is called, how it was made, and what its results say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.task import Task
from mipha_eval.judge.stored_task import StoredTask, stored_task
from mipha_eval.page.facts import RunFacts
from mipha_eval.reporting.gpu_hours import gpu_hours
from mipha_eval.reporting.model_size import named_size, noted_size
from mipha_eval.reporting.workers import workers_text
from mipha_eval.scoring.result_record import ResultRecord
from mipha_eval.store.manifest import Manifest
from mipha_eval.store.results import choose_result
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.run_names import run_names

#: entries of a manifest that a page shows
MADE = ("model", "started", "mipha_eval", "options", "task_options", "weights", "data", "annotations", "machine", "packages")


@dataclass(frozen=True)
class ShownRun:
    """A run on a page.

    Attributes:
        name: see `run_names`.
        results: by label of the task, as ``result.json`` has them; of several judges' the one that is shown.
        others: those of further judges.
    """

    name: str
    folder: RunFolder
    manifest: Manifest
    results: Mapping[str, ResultRecord]
    others: Mapping[str, Sequence[ResultRecord]]


def read_runs(paths: Sequence[Path]) -> list[ShownRun]:
    """Raises UserError if one is no run folder, or has not begun a task."""
    folders = [RunFolder.open(path) for path in dict.fromkeys(path.resolve() for path in paths)]
    manifests = [folder.manifest() for folder in folders]
    names = run_names([(folder.path, manifest) for folder, manifest in zip(folders, manifests, strict=True)])
    runs = []
    for folder, name, manifest in zip(folders, names, manifests, strict=True):
        if not folder.tasks():
            raise UserError(f"{folder.path} has begun no task; the same command that began it goes on")
        found = {label: folder.results_of(label) for label in folder.tasks()}
        shown = {label: choose_result(results) for label, results in found.items() if results}
        others = {
            label: [each for each in results if each is not shown[label]] for label, results in found.items() if results
        }
        runs.append(ShownRun(name, folder, manifest, shown, others))
    return runs


def built_task(run: ShownRun, label: str, registry: Registry) -> Task | None:
    """The task of a run; None if it cannot be built here, for want of its plugin. A damaged record is a UserError."""
    run.folder.task(label).read_task()
    try:
        return stored_task(run.folder, label, registry)
    except UserError:
        return None


def stored_result(run: ShownRun, label: str, registry: Registry) -> StoredTask | None:
    """The task of a run with the result that is shown; None if there is none, or it cannot be built here."""
    task, result = built_task(run, label, registry), run.results.get(label)
    if task is None or result is None:
        return None
    return StoredTask(run.folder.path, run.name, label, task, run.folder.task(label).read_task(), result)


def run_facts(run: ShownRun) -> RunFacts:
    """What a page says of a run as a whole."""
    told = {key: getattr(run.manifest, key) for key in MADE}
    made = [(key.replace("_", " "), flat_text(value)) for key, value in told.items() if value]
    hours = gpu_hours(run.folder)
    beside = {"workers": workers_text(run.manifest.workers), "GPU-hours": hours.text if hours else ""}
    made += [(what, text) for what, text in beside.items() if text]
    return RunFacts(run.name, run.folder.path.name, model_size(run.manifest), tuple(made))


def flat_text(value: Json) -> str:
    """A manifest's entry as text; of options those that are set."""
    if not isinstance(value, Mapping):
        return str(value)
    return ", ".join(f"{key} {entry}" for key, entry in value.items() if entry not in (None, "None", "", {}))


def model_size(manifest: Manifest) -> float | None:
    """Parameters in billions: as the run noted them, else as the model's name has it (``llava-1.5-13b``)."""
    noted = noted_size(manifest)
    return named_size(manifest.display_name) if noted is None else noted
