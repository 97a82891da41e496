"""Comparing runs from Python; the order of a comparison is `comparison.compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mipha_eval.comparison.compare import CompareSettings, compare_runs
from mipha_eval.comparison.defaults import ALPHA
from mipha_eval.comparison.result import Comparison
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.runs.stored_run import Run

AnyRun = Run | str | Path


def compare(
    baseline: AnyRun,
    *others: AnyRun,
    tasks: Sequence[str] = (),
    metrics: Sequence[str] = (),
    all_pairs: bool = False,
    alpha: float = ALPHA,
    judge: str | None = None,
    plugins: Sequence[str | Path] = (),
) -> Comparison:
    """Compares runs question by question; only questions that both scored count.

    Args:
        baseline: a run or its folder; each of the others is compared with it, with `all_pairs` also with one another.
        tasks: names or labels; all that the runs share by default.
        metrics: beside each task's headline; ``["all"]`` for all.
        alpha: the significance level; intervals are at 1 - alpha.
        judge: whose result counts where several judges graded a task.

    Raises:
        UserError: fewer than two runs, a name that does not exist, or nothing that may be compared.
    """
    paths = [run.path if isinstance(run, Run) else Path(run) for run in (baseline, *others)]
    settings = CompareSettings(paths, tasks, metrics, all_pairs, judge, alpha=alpha)
    return compare_runs(settings, Registry([Path(each) for each in plugins]))
