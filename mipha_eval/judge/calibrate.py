"""How far a judge can be trusted: it grades answers again that a trusted judge has graded before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mipha_eval.core.errors import UserError
from mipha_eval.core.metrics import ClusterCounts, Metric, Number, Totals
from mipha_eval.core.task import UNGRADED, Task
from mipha_eval.core.types import Score
from mipha_eval.data.questions import read_samples
from mipha_eval.judge.calibrations import calibration_file, store_calibration
from mipha_eval.judge.grading import Grading, TaskAnswers, judge_answers
from mipha_eval.judge.recorded import RecordedGrades
from mipha_eval.scoring.answer_files import read_answers
from mipha_eval.scoring.judging.calibration import Calibration

if TYPE_CHECKING:
    import numpy as np

    Grades = np.ndarray  # [answers, runs], 0 to 1


@dataclass(frozen=True)
class Calibrated:
    """What was found, and where it is kept for later scores."""

    found: Calibration
    path: Path


def calibrate(task: Task, grades: Path, answers: Path | None, grading: Grading) -> Calibrated:
    """Has the judge grade recorded answers, compares its grades with the recorded ones, and keeps the result.

    Args:
        answers: those that the grades are of; None for the file beside them.

    Raises:
        UserError: the task has no grades, the files do not fit, or the judge graded nothing.
    """
    reference = RecordedGrades(grades)
    grading.check([task])
    samples = read_samples(task)
    file = answers or answers_beside(grades)
    answered = TaskAnswers(task, samples, read_answers(file, task, samples).responses)
    own = calibration_file(grading.judge.name)
    verdicts = grading.verdicts(own.parent / "verdicts", f"{own.stem}.{file.name}.")
    (judged,) = judge_answers([(answered, verdicts)], grading)
    result = answered.score(judged)
    counts = result.summary.judge
    graded = [score for score in result.scores if score.rule not in UNGRADED]
    if not graded or any("grades" not in score.details for score in graded):
        reason = next(iter(counts.failures if counts else ()), "see what it said above")
        raise UserError(f"judge {grading.judge.name} graded no answer of {task.label}: {reason}")
    truth = [reference.grades_of(score.sample) for score in graded]
    found = msgspec.structs.replace(
        agreement(graded, truth),
        judge=grading.judge.name,
        task=task.label,
        reference=reference.name,
        grades=grades.name,
        answers=file.name,
        unreadable=counts.unreadable if counts else 0,
        not_graded=len(result.scores) - len(graded),
    )
    return Calibrated(found, store_calibration(grading.notes, found))


def answers_beside(grades: Path) -> Path:
    """The answers that a grade file of MM-Vet's script is of: ``MODEL.json`` beside ``MODEL_JUDGE-grade-1runs.json``.

    Raises:
        UserError: there are none.
    """
    model = re.sub(r"_[^_]*-grade-\d+runs$", "", grades.stem)
    found = [grades.with_name(f"{model}{ending}") for ending in (".json", ".jsonl")]
    there = next((path for path in found if path.is_file() and path != grades), None)
    if there is None:
        raise UserError(
            f"there are no answers beside {grades}, such as {found[0].name}; give their file", flag="--answers FILE"
        )
    return there


def agreement(graded: Sequence[Score], truth: Sequence[Sequence[float]]) -> Calibration:
    """How a judge's grades of answers compare with trusted ones; who they are is for others to say.

    Args:
        graded: scores with the judge's grades of one or more runs in their details.
        truth: the trusted grades of each, 0 to 1, of one or more runs.
    """
    import numpy as np
    from scipy.stats import spearmanr

    ours, theirs = np.array([score.details["grades"] for score in graded]), np.array(truth)
    mine, right = ours.mean(axis=1), theirs.mean(axis=1)
    varied = mine.std() > 0 and right.std() > 0
    return Calibration(
        judge="",
        reference="",
        n=len(graded),
        total=100 * float(mine.mean()),
        reference_total=100 * float(right.mean()),
        bias=100 * float((mine - right).mean()),
        bias_interval=_interval(graded, mine - right),
        mean_absolute_error=float(np.abs(mine - right).mean()),
        kappa=quadratic_kappa(mine, right),
        rank_correlation=float(spearmanr(mine, right).statistic) if varied else None,
        runs=ours.shape[1],
        repeat_deviation=_deviation(ours),
        reference_runs=theirs.shape[1],
        reference_repeat_deviation=_deviation(theirs),
        total_deviation=100 * float(ours.mean(axis=0).std()) if ours.shape[1] > 1 else None,
    )


def quadratic_kappa(mine: np.ndarray, right: np.ndarray) -> float:
    """Cohen's kappa with quadratic weights: 1 for equal grades, 0 for agreement by chance.

    With these weights the table of all pairs of grades comes down to means and variances, so grades need not be binned.
    Source: Fleiss and Cohen, "The equivalence of weighted kappa and the intraclass correlation coefficient", 1973.
    """
    observed = ((mine - right) ** 2).mean()
    expected = mine.var() + right.var() + (mine.mean() - right.mean()) ** 2
    return float(1 - observed / expected) if expected > 0 else 1.0


def _deviation(grades: Grades) -> float | None:
    """The standard deviation between runs of the same answer (root of the mean variance); None for one run."""
    runs = grades.shape[1]
    return float(grades.var(axis=1, ddof=1).mean() ** 0.5) if runs > 1 else None


def _interval(graded: Sequence[Score], differences: np.ndarray) -> tuple[float, float] | None:
    from mipha_eval.stats.interval import run_intervals

    counts = ClusterCounts()
    for score, difference in zip(graded, differences.tolist(), strict=True):
        counts.add(score.cluster, {"difference": difference, "asked": 1.0})
    bias = Metric("bias", partial(_per_answer, "difference"), "points", bounds=(-100.0, 100.0))
    return run_intervals(counts, [bias])["bias"].bounds


def _per_answer(name: str, totals: Totals) -> Number:
    return 100 * totals.ratio(totals[name], totals["asked"])
