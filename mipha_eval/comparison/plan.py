"""Which results of which runs are compared in which metrics, seen from their summaries alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mipha_eval.comparison.comparability import other_quantity, why_not
from mipha_eval.comparison.result import ComparedRun, NotCompared
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown
from mipha_eval.core.task_label import TaskLabel
from mipha_eval.scoring.result_record import ResultRecord

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
    for label in dict.fromkeys([*first.results, *second.results, *first.unknown, *second.unknown]):
        reason = _reason(first, second, label)
        if reason is None and not (label in first.tasks and label in second.tasks):
            gaps.append(_values(first, second, NotCompared(label, places, ""), metrics))
        elif reason is None:
            planned.append(Planned(label, places, _metrics(first.results[label], second.results[label], metrics)))
        else:
            gaps.append(NotCompared(label, places, reason))
    return planned, gaps


def _reason(first: ComparedRun, second: ComparedRun, label: str) -> str | None:
    """Why a task that at least one of two runs has cannot be compared."""
    if label in first.tasks and label in second.tasks:
        return why_not(first.tasks[label], second.tasks[label]) or _no_score(first, second, label)
    if label in first.results and label in second.results:
        return other_quantity(first.results[label], second.results[label]) or _no_score(first, second, label)
    unknown = [run.unknown[label] for run in (first, second) if label in run.unknown]
    if unknown and all(label in run.results or label in run.unknown for run in (first, second)):
        return str(unknown[0])
    has, lacks = (first, second) if label in first.results or label in first.unknown else (second, first)
    kin = [other for other in lacks.results if TaskLabel.of(other).name == TaskLabel.of(label).name]
    return f"{lacks.name} has {kin[0]}, another protocol" if kin else f"only {has.name} has it"


def _no_score(first: ComparedRun, second: ComparedRun, label: str) -> str | None:
    headline = first.results[label].headline
    lacking = [run.name for run in (first, second) if headline not in run.results[label].metrics]
    return f"no {headline} in {' and '.join(lacking)}" if lacking else None


def _values(first: ComparedRun, second: ComparedRun, gap: NotCompared, wanted: Sequence[str]) -> NotCompared:
    """The numbers of two runs of which one or both have no answers."""
    results = [run.results[gap.task] for run in (first, second)]
    without = [run.name for run in (first, second) if gap.task in run.printed]
    reason = (
        f"{' and '.join(without)} {'has' if len(without) == 1 else 'have'} no answers, so that nothing is known but the "
        "numbers: no paired test, no interval of the difference, no question gained or lost"
    )
    names = _metrics(results[0], results[1], wanted)
    metrics = {name: (results[0].metrics[name], results[1].metrics[name]) for name in names}
    return replace(gap, reason=reason, values=metrics)


def _metrics(first: ResultRecord, second: ResultRecord, wanted: Sequence[str]) -> list[str]:
    headline = first.headline
    common = [name for name in first.metrics if name in second.metrics]
    return [headline, *(name for name in common if name != headline and (name in wanted or ALL in wanted))]


def choose(runs: Sequence[ComparedRun], tasks: Sequence[str], metrics: Sequence[str]) -> list[ComparedRun]:
    """The runs with the tasks that were named, by name or label. Raises UserError for what no run has."""
    asked = [error for run in runs for label, error in run.unknown.items() if not _names(run, label).isdisjoint(tasks)]
    if asked:
        raise asked[0]
    _check("task", tasks, [name for run in runs for label in run.results for name in _names(run, label)])
    if tasks:
        runs = [
            replace(
                run,
                tasks={label: own for label, own in run.tasks.items() if not _names(run, label).isdisjoint(tasks)},
                unknown={},
                printed={label: own for label, own in run.printed.items() if not _names(run, label).isdisjoint(tasks)},
            )
            for run in runs
        ]
    _check("metric", metrics, [ALL, *(name for run in runs for own in run.results.values() for name in own.metrics)])
    return list(runs)


def _names(run: ComparedRun, label: str) -> set[str]:
    return {label, run.tasks[label].task.name if label in run.tasks else TaskLabel.of(label).plugin}


def _check(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = set(known)
    for name in names:
        if name not in known:
            raise UserError(unknown(what, name, known, "these runs have"))
