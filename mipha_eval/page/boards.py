"""Results of many runs on one task, ranked as far as they may be.

A rank is an interval: the ranks that a run has in the middle 95 % of bootstrap resamples of the images, the same images for
all runs. Runs are ranked together only if they were asked the same questions under the same conditions, and all of them were
answered and scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import asdict

from mipha_eval.comparison.comparability import why_not
from mipha_eval.comparison.matched import Matched
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.judge.stored_task import StoredTask
from mipha_eval.page.facts import result_facts
from mipha_eval.page.runs import ShownRun, stored_result
from mipha_eval.scoring.gaps import gaps
from mipha_eval.scoring.result_record import ResultRecord


def _conditions(result: ResultRecord) -> tuple[str, ...]:
    """What makes a result another thing than what the task's name says, beside demo data, which are in the name."""
    marks = [name for name in ("floor", "limited", "as_published") if getattr(result, name)]
    return result.asked_under or "", result.annotations or "", *marks, *result.reworded.values()


@dataclass(frozen=True)
class Entry:
    """A run's result on a task.

    Attributes:
        number: of the run.
        why_unranked: empty if it may be ranked with others of its kind.
    """

    number: int
    result: ResultRecord
    stored: StoredTask | None
    why_unranked: str


@dataclass(frozen=True)
class Group:
    """Runs that are ranked together.

    Attributes:
        ranks: first and last of each entry; None where there is nothing to rank with.
        questions: how many all of them answered.
    """

    entries: Sequence[Entry]
    ranks: Sequence[tuple[int, int]] | None
    questions: int


def read_entries(runs: Sequence[ShownRun], label: str, registry: Registry) -> list[Entry]:
    """The results of all runs that have one."""
    entries = []
    for number, run in enumerate(runs):
        if label in run.results:
            result, stored = run.results[label], stored_result(run, label, registry)
            entries.append(Entry(number, result, stored, _why_unranked(result, stored)))
    return entries


def _why_unranked(result: ResultRecord, stored: StoredTask | None) -> str:
    """Why a result can be ranked with no other; empty if it can."""
    if stored is None:
        return "its task is not installed here"
    if result.headline not in result.metrics:
        return f"it has no {result.headline}"
    told = [f"{count:,} {name}" for name, count in gaps(result).items()]
    return f"questions are left: {', '.join(told)}" if told else ""


def ranked_groups(entries: Sequence[Entry]) -> list[Group]:
    """Groups of runs that may be ranked together, whole and larger ones first; what cannot be ranked is in none."""
    groups: list[list[Entry]] = []
    for entry in entries:
        if not entry.why_unranked:
            group = next((group for group in groups if _alike(group[0], entry)), None)
            groups.append([entry]) if group is None else group.append(entry)
    ranked = [_ranked(group) for group in groups]
    return sorted(ranked, key=lambda group: (_special(group.entries[0]), -len(group.entries), -group.questions))


def _special(entry: Entry) -> bool:
    return any(_conditions(entry.result))


def _alike(first: Entry, second: Entry) -> bool:
    if first.stored is None or second.stored is None or why_not(first.stored, second.stored):
        return False
    same = first.stored.record.data_sha256 == second.stored.record.data_sha256
    demo = bool(first.result.demo) == bool(second.result.demo)
    return same and demo and _conditions(first.result) == _conditions(second.result)


def _ranked(group: Sequence[Entry]) -> Group:
    questions = group[0].result.n
    tasks = [entry.stored for entry in group if entry.stored is not None]
    if len(tasks) < 2:
        return Group(group, None, questions)
    from mipha_eval.stats.bootstrap import RESAMPLES, bootstrap_values
    from mipha_eval.stats.ranks import rank_intervals

    matched = Matched.of(tasks)
    values = bootstrap_values(matched.panel(group[0].result.headline), RESAMPLES)
    return Group(group, rank_intervals(values), matched.questions)


class Told(Struct, frozen=True, kw_only=True, rename={"short_marks": "shortMarks"}):
    """What a leaderboard shows of a result, as its scripts get it; see `ResultFacts`."""

    metric: str
    score: str
    value: float | None
    interval: tuple[float, float] | None
    no_interval: str
    n: int
    marks: tuple[str, ...]
    short_marks: tuple[str, ...]


class Ranked(Told, frozen=True, kw_only=True):
    """First and last rank, None where there is nothing to rank with; the number of its group."""

    rank: tuple[int, int] | None
    group: int


class Unranked(Told, frozen=True, kw_only=True):
    """Why it has no rank."""

    why: str


class GroupFacts(Struct, frozen=True):
    """How many runs and questions a group has; whether it is another thing than what the task's name says."""

    runs: int
    questions: int
    special: bool


class Board(Struct, frozen=True):
    """A task's part of a leaderboard; `entries` by the number of the run."""

    label: str
    entries: Mapping[str, Ranked | Unranked]
    groups: tuple[GroupFacts, ...]


def board(runs: Sequence[ShownRun], label: str, registry: Registry) -> Board:
    """The results of all runs on a task, those first that are ranked."""
    entries = read_entries(runs, label, registry)
    groups = ranked_groups(entries)
    shown: dict[str, Ranked | Unranked] = {
        str(entry.number): Ranked(
            **asdict(_told(entry, label)),
            rank=None if group.ranks is None else group.ranks[place],
            group=number,
        )
        for number, group in enumerate(groups)
        for place, entry in enumerate(group.entries)
    }
    for entry in entries:
        if entry.why_unranked:
            shown[str(entry.number)] = Unranked(**asdict(_told(entry, label)), why=entry.why_unranked)
    told = [GroupFacts(len(group.entries), group.questions, _special(group.entries[0])) for group in groups]
    return Board(label, shown, tuple(told))


def _told(entry: Entry, label: str) -> Told:
    facts = result_facts(entry.result)
    headline = next((metric for metric in facts.metrics if metric.name == facts.headline), None)
    if headline is None and not entry.why_unranked:
        raise UserError(f"{label} has no {facts.headline}")
    return Told(
        metric=facts.headline,
        score=facts.score,
        value=headline.value if headline else None,
        interval=headline.interval if headline else None,
        no_interval=headline.no_interval if headline else "",
        n=facts.n,
        marks=facts.marks,
        short_marks=facts.short_marks,
    )
