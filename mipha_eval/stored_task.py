"""A finished task of a stored run with its scores: what reports, tables and comparisons are made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mipha_eval.data.source import DataSource
from mipha_eval.errors import UserError
from mipha_eval.metrics import Metric, Tally, Totals, add_tallies, group_scores
from mipha_eval.plugins import Registry
from mipha_eval.selection import build_task
from mipha_eval.store import RunFolder
from mipha_eval.task import Task
from mipha_eval.types import Score


@dataclass(frozen=True)
class StoredTask:
    """One task of a run. Its task object knows formulas and options, but need not find its data.

    Attributes:
        run: the run's folder.
        model: its name, as the manifest has it.
        label: ``task@protocol``.
        record: what ``task.json`` says: version, options and a digest of what was asked.
        summary: what ``result.json`` says.
    """

    run: Path
    model: str
    label: str
    task: Task
    record: Mapping[str, Any]
    summary: Mapping[str, Any]

    @cached_property
    def scores(self) -> Sequence[Score]:
        """Read when first asked for. Raises UserError if they are missing or damaged."""
        return RunFolder(self.run).task(self.label).scores()

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics of the stored scores by the names that the summary has."""
        return self.measures(Totals(add_tallies(self.tally(group) for group in group_scores(self.scores))))

    def tally(self, group: Sequence[Score]) -> Tally:
        """Counts of scores that belong together."""
        return self.task.tally(group)

    def measures(self, totals: Totals) -> dict[str, Metric]:
        """The metrics that are defined on `totals`, of any of the scores, by the names that the summary has.

        A name may end in how a score was made, such as ``score[gpt-4-0613]`` or ``CIDEr[ptb]``, which the task object, built
        again without its judge or on a machine without Java, does not say or says otherwise. The formula is the same.
        """
        found = {metric.name: metric for metric in self.task.measures(totals) if metric.defined(totals)}
        plain = {_without_mark(name): metric for name, metric in found.items()}
        known = {name: found.get(name) or plain.get(_without_mark(name)) for name in self.summary["metrics"]}
        return {name: dataclasses.replace(metric, name=name) for name, metric in known.items() if metric}


def read_stored_tasks(run: Path, registry: Registry) -> list[StoredTask]:
    """The tasks of a run that have a result, by label.

    Raises:
        UserError: `run` is no run folder, or none of its tasks has a result.
    """
    if not (run / "manifest.json").exists():
        raise UserError(f"{run} is no run folder: it has no manifest.json")
    folder = RunFolder.open(run)
    labels = [label for label in folder.tasks() if (run / label / "result.json").exists()]
    if not labels:
        raise UserError(f"{run} has no finished task; the same command that began it goes on")
    return [_read(folder, label, registry) for label in labels]


def _read(folder: RunFolder, label: str, registry: Registry) -> StoredTask:
    place, task = folder.task(label), stored_task(folder, label, registry)
    return StoredTask(folder.path, str(folder.manifest()["model"]), label, task, place.read_task(), place.result())


def stored_task(folder: RunFolder, label: str, registry: Registry) -> Task:
    """The task object of a run, with its protocol and options; its data need not be there."""
    kind = folder.manifest()["data"]
    source = DataSource("demo" if kind == "demo" else "hub" if kind == "hub" else "folder", Path(kind))
    record = folder.task(label).read_task()
    prefix = record["name"].replace("-", "_")
    options = {f"{prefix}.{key}": value for key, value in record["options"].items() if value is not None}
    return build_task(f"{record['name']}@{record['protocol']}", options, source, registry)


def _without_mark(name: str) -> str:
    return name.partition("[")[0]
