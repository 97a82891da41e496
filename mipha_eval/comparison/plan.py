"""Which results of which runs are compared in which metrics, seen from their summaries alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mipha_eval.comparison.comparability import why_not
from mipha_eval.comparison.compared import NotCompared
from mipha_eval.errors import UserError
from mipha_eval.options import unknown
from mipha_eval.stored_task import StoredTask

ALL = "all"

TasksOfRun = Mapping[str, StoredTask]  # by label


@dataclass(frozen=True)
class Planned:
    """Two runs of a task that are to be compared in some metrics, the headline first."""

    task: str
    runs: tuple[int, int]
    metrics: Sequence[str]


def plan_pair(
    runs: Sequence[TasksOfRun], places: tuple[int, int], metrics: Sequence[str]
) -> tuple[list[Planned], list[NotCompared]]:
    """What of two runs is to be compared, and what is not and why.

    Args:
        metrics: names beside the headline; `ALL` for all.
    """
    first, second = (runs[place] for place in places)
    planned, gaps = [], []
    for label in dict.fromkeys([*first, *second]):
        reason = _reason(first, second, label)
        if reason is not None:
            gaps.append(NotCompared(label, places, reason))
        elif label in first and label in second:
            planned.append(Planned(label, places, _metrics(first[label], second[label], metrics)))
    return planned, gaps


def _reason(first: TasksOfRun, second: TasksOfRun, label: str) -> str | None:
    """Why a task that one of two runs has cannot be compared."""
    if label in first and label in second:
        return why_not(first[label], second[label]) or _no_score(first[label], second[label])
    has, lacks = (first, second) if label in first else (second, first)
    kin = [other for other in lacks if lacks[other].task.name == has[label].task.name and other not in has]
    if kin:
        return why_not(has[label], lacks[kin[0]])
    return f"only the {'first' if has is first else 'second'} run has it"


def _no_score(first: StoredTask, second: StoredTask) -> str | None:
    headline = first.summary["headline"]
    lacking = [stored.run.name for stored in (first, second) if headline not in stored.summary["metrics"]]
    return f"no {headline} in {' and '.join(lacking)}" if lacking else None


def _metrics(first: StoredTask, second: StoredTask, wanted: Sequence[str]) -> list[str]:
    headline = first.summary["headline"]
    common = [name for name in first.summary["metrics"] if name in second.summary["metrics"]]
    return [headline, *(name for name in common if name != headline and (name in wanted or ALL in wanted))]


def choose(runs: Sequence[TasksOfRun], tasks: Sequence[str], metrics: Sequence[str]) -> list[TasksOfRun]:
    """The runs with the tasks that were named, by name or label. Raises UserError for what no run has."""
    every = [stored for run in runs for stored in run.values()]
    _check("task", tasks, [name for stored in every for name in (stored.label, stored.task.name)])
    chosen = [
        {label: stored for label, stored in run.items() if not tasks or label in tasks or stored.task.name in tasks}
        for run in runs
    ]
    _check(
        "metric", metrics, [ALL, *(name for run in chosen for stored in run.values() for name in stored.summary["metrics"])]
    )
    return chosen


def _check(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = set(known)
    for name in names:
        if name not in known:
            raise UserError(unknown(what, name, known, "these runs have"))


def run_names(paths: Sequence[Path], models: Sequence[str]) -> list[str]:
    """A name for each run: its model's where no other run has the same, else with its folder's id, else with its path."""
    counts = Counter(models)
    names = [
        model if counts[model] == 1 else f"{model} ({path.name.rpartition('__')[2]})"
        for model, path in zip(models, paths, strict=True)
    ]
    counts = Counter(names)
    return [
        name if counts[name] == 1 else f"{model} ({path})" for name, model, path in zip(names, models, paths, strict=True)
    ]
