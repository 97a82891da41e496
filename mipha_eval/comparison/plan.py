"""Which results of which runs are compared in which metrics, seen from their summaries alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mipha_eval.comparison.comparability import why_not
from mipha_eval.comparison.result import ComparedRun, NotCompared
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown
from mipha_eval.judge.stored_task import StoredTask

ALL = "all"


@dataclass(frozen=True)
class Planned:
    """Two runs of a task that are to be compared in some metrics, the headline first."""

    task: str
    runs: tuple[int, int]
    metrics: Sequence[str]


def plan_pair(
    runs: Sequence[ComparedRun], places: tuple[int, int], metrics: Sequence[str]
) -> tuple[list[Planned], list[NotCompared]]:
    """What of two runs is to be compared, and what is not and why.

    Args:
        metrics: names beside the headline; `ALL` for all.
    """
    first, second = (runs[place] for place in places)
    planned, gaps = [], []
    for label in dict.fromkeys([*first.tasks, *second.tasks]):
        reason = _reason(first, second, label)
        if reason is None:
            planned.append(Planned(label, places, _metrics(first.tasks[label], second.tasks[label], metrics)))
        else:
            gaps.append(NotCompared(label, places, reason))
    return planned, gaps


def _reason(first: ComparedRun, second: ComparedRun, label: str) -> str | None:
    """Why a task that at least one of two runs has cannot be compared."""
    if label in first.tasks and label in second.tasks:
        return why_not(first.tasks[label], second.tasks[label]) or _no_score(first, second, label)
    has, lacks = (first, second) if label in first.tasks else (second, first)
    kin = [other for other in lacks.tasks if lacks.tasks[other].task.name == has.tasks[label].task.name]
    return f"{lacks.name} has {kin[0]}, another protocol" if kin else f"only {has.name} has it"


def _no_score(first: ComparedRun, second: ComparedRun, label: str) -> str | None:
    headline = first.tasks[label].summary.headline
    lacking = [run.name for run in (first, second) if headline not in run.tasks[label].summary.metrics]
    return f"no {headline} in {' and '.join(lacking)}" if lacking else None


def _metrics(first: StoredTask, second: StoredTask, wanted: Sequence[str]) -> list[str]:
    headline = first.summary.headline
    common = [name for name in first.summary.metrics if name in second.summary.metrics]
    return [headline, *(name for name in common if name != headline and (name in wanted or ALL in wanted))]


def choose(runs: Sequence[ComparedRun], tasks: Sequence[str], metrics: Sequence[str]) -> list[ComparedRun]:
    """The runs with the tasks that were named, by name or label. Raises UserError for what no run has."""
    _check("task", tasks, [name for run in runs for stored in run.tasks.values() for name in _names(stored)])
    if tasks:
        runs = [
            replace(run, tasks={label: own for label, own in run.tasks.items() if not _names(own).isdisjoint(tasks)})
            for run in runs
        ]
    _check("metric", metrics, [ALL, *(name for run in runs for own in run.tasks.values() for name in own.summary.metrics)])
    return list(runs)


def _names(stored: StoredTask) -> set[str]:
    return {stored.label, stored.task.name}


def _check(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = set(known)
    for name in names:
        if name not in known:
            raise UserError(unknown(what, name, known, "these runs have"))
