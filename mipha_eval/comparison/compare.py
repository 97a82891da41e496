"""The order of a comparison: read the runs, see what may be compared, compare, correct."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from mipha_eval.comparison.comparability import other_options, why_not
from mipha_eval.comparison.defaults import ALPHA, RESAMPLES
from mipha_eval.comparison.difference import Difference, difference, enough_draws
from mipha_eval.comparison.flips import find_flips, flips_by_category
from mipha_eval.comparison.gain import gain_of_two
from mipha_eval.comparison.gate import Rule, decide, worst_p
from mipha_eval.comparison.loss import Loss
from mipha_eval.comparison.matched import Matched
from mipha_eval.comparison.plan import Planned, choose, plan_pair
from mipha_eval.comparison.result import ComparedRun, Comparison, NotCompared, Pair, Row, TieGroup, Verdict
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.judge.stored_task import StoredTask, read_stored_tasks
from mipha_eval.store.quoted import read_quoted
from mipha_eval.store.results import choose_result, read_printed
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.run_names import of_file, run_names


@dataclass(frozen=True)
class CompareSettings:
    """Which runs are compared, and in what.

    Attributes:
        runs: folders, and files of results without answers; the first is the baseline.
        tasks: names or labels; all if empty.
        metrics: beside each task's headline; `plan.ALL` for all of them.
        all_pairs: compare every two runs, not only the baseline with each other one.
        judge: whose result is compared where several judges graded a task; see `read_stored_tasks`.
        gate: what is asked of the other runs beside the baseline.
    """

    runs: Sequence[Path]
    tasks: Sequence[str] = ()
    metrics: Sequence[str] = ()
    all_pairs: bool = False
    judge: str | None = None
    resamples: int = RESAMPLES
    alpha: float = ALPHA
    gate: Rule = field(default_factory=Rule)


def compare_runs(config: CompareSettings, registry: Registry) -> Comparison:
    """Compares runs on the tasks that they share.

    Raises:
        UserError: fewer than two runs, a name that does not exist, or nothing that may be compared and no gate to say so.
    """
    runs = choose(_read(config, registry), config.tasks, config.metrics)
    places = [pair for pair in combinations(range(len(runs)), 2) if config.all_pairs or pair[0] == 0]
    plans = [plan_pair(runs, pair, config.metrics) for pair in places]
    planned = [item for items, _ in plans for item in items]
    draws = enough_draws(config.resamples, sum(len(item.metrics) for item in planned), config.alpha)
    found = [_compare(runs, item, draws, config) for item in planned]
    gaps = [gap for _, gaps in plans for gap in gaps] + [gap for gap in found if isinstance(gap, NotCompared)]
    pairs = [pair for pair in found if isinstance(pair, Pair)]
    if not (pairs or any(gap.values for gap in gaps) or config.gate.asked):
        reasons = dict.fromkeys(f"{gap.task}: {gap.reason}" for gap in gaps)
        raise UserError(f"nothing of these runs can be compared; {'; '.join(reasons)}")
    gaps = [_with_loss(runs, gap) for gap in gaps]
    corrected = _corrected(pairs, config.alpha)
    own = [gap for gap in gaps if gap.runs[0] == 0 and gap.task in runs[0].results]
    return Comparison(
        runs=runs,
        pairs=corrected,
        not_compared=gaps,
        ties=list(_ties([run.tasks for run in runs], draws, config.alpha)),
        alpha=config.alpha,
        resamples=config.resamples,
        draws=draws,
        gate=decide(runs, corrected, own, config.gate, config.alpha),
    )


def _with_loss(runs: Sequence[ComparedRun], gap: NotCompared) -> NotCompared:
    """The same with what the second run lost, where it is the same task under the same protocol."""
    tasks = [runs[place].tasks[gap.task] for place in gap.runs if gap.task in runs[place].tasks]
    if gap.runs[0] != 0 or len(tasks) < 2 or why_not(*tasks) is not None:
        return gap
    with contextlib.suppress(UserError):  # scores that cannot be read are a reason of their own
        return dataclasses.replace(gap, loss=Loss.of(*map(_unread, tasks)))
    return gap


def _read(config: CompareSettings, registry: Registry) -> list[ComparedRun]:
    paths = [path.resolve() for path in config.runs]
    if not 0 < config.alpha < 1:
        raise UserError(f"alpha {config.alpha:g}: expected a number between 0 and 1", flag="--alpha")
    if len(paths) < 2:
        raise UserError("a comparison needs two runs or more")
    twice = next((path for path in config.runs if paths.count(path.resolve()) > 1), None)
    if twice is not None:
        raise UserError(f"{twice} was given twice")
    found = [_read_file(path, config.judge) if path.is_file() else _read_run(path, config, registry) for path in config.runs]
    names = run_names([(run.path, of_file(run.path) if run.printed else RunFolder(run.path).manifest()) for run in found])
    return [dataclasses.replace(run, name=name) for run, name in zip(found, names, strict=True)]


def _read_run(path: Path, config: CompareSettings, registry: Registry) -> ComparedRun:
    unknown: dict[str, UserError] = {}
    own = read_stored_tasks(path, registry, config.judge, unknown)
    return ComparedRun("", path, own[0].model, {stored.label: stored for stored in own}, unknown=unknown)


def _read_file(path: Path, judge: str | None) -> ComparedRun:
    """Results without answers, ours or another suite's."""
    quoted = read_quoted(path)
    records = quoted.records if quoted else read_printed(path)[0]
    model = quoted.model if quoted and quoted.model else of_file(path).model
    found = {
        label: [record for record in records if record.task == label] for label in {each.task: None for each in records}
    }
    return ComparedRun("", path, model, {}, {label: choose_result(own, judge) for label, own in found.items()})


def _unread(stored: StoredTask) -> StoredTask:
    """The same without its scores, which are many: they are read for each comparison and then given up."""
    return dataclasses.replace(stored)


def _compare(runs: Sequence[ComparedRun], planned: Planned, draws: int, config: CompareSettings) -> Pair | NotCompared:
    tasks = [_unread(runs[place].tasks[planned.task]) for place in planned.runs]
    try:
        matched = Matched.of(tasks)
    except UserError as error:
        return NotCompared(planned.task, planned.runs, str(error))
    metrics = [name for name in planned.metrics if name in matched.metrics]
    if planned.metrics[0] not in metrics:
        return NotCompared(planned.task, planned.runs, f"the shared questions give no {planned.metrics[0]}")
    found = [difference(matched, name, draws, config.alpha) for name in metrics]
    gated = planned.runs[0] == 0
    return Pair(
        gain=gain_of_two(tasks, {str(stored.run): RunFolder(stored.run).manifest() for stored in tasks}, config.alpha),
        task=planned.task,
        runs=planned.runs,
        left_out=matched.left_out,
        changed=matched.changed,
        options=other_options(*tasks),
        flips=find_flips(matched),
        categories=flips_by_category(matched),
        rows=[Row(each, each.p, "not significant") for each in found],
        loss=Loss.of(*tasks) if gated else None,
        worst_p=worst_p(matched, metrics[0], draws) if gated else None,
    )


def _corrected(pairs: Sequence[Pair], alpha: float) -> list[Pair]:
    """The pairs with p-values corrected for all that are shown."""
    from mipha_eval.stats.holm import holm

    corrected = iter(holm([row.difference.p for pair in pairs for row in pair.rows]))
    rows = [[_judged(row.difference, next(corrected), alpha) for row in pair.rows] for pair in pairs]
    return [dataclasses.replace(pair, rows=own) for pair, own in zip(pairs, rows, strict=True)]


def _judged(found: Difference, corrected: float, alpha: float) -> Row:
    verdict: Verdict = "not significant" if corrected > alpha else "better" if found.value > 0 else "worse"
    return Row(found, corrected, verdict)


def _ties(runs: Sequence[Mapping[str, StoredTask]], draws: int, alpha: float) -> Iterator[TieGroup]:
    """Of every task that three runs or more can be compared in."""
    from mipha_eval.stats.ties import tied_with_best

    for label in dict.fromkeys(label for run in runs for label in run):
        places = [place for place, run in enumerate(runs) if label in run and run[label].summary.metrics]
        places = [place for place in places if why_not(runs[places[0]][label], runs[place][label]) is None]
        if len(places) < 3:
            continue
        try:
            matched = Matched.of([_unread(runs[place][label]) for place in places])
        except UserError:  # no question is common to all
            continue
        metric = runs[places[0]][label].summary.headline
        if metric in matched.metrics:
            values = dict(zip(places, matched.panel(metric).values().tolist(), strict=True))
            tied = {places[place] for place in tied_with_best(matched.panel(metric), draws, alpha)}
            yield TieGroup(label, metric, values, tied, matched.questions)
