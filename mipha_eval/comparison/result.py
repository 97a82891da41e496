"""What a comparison of runs found, as reports show it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mipha_eval.comparison.difference import Difference
from mipha_eval.comparison.flips import Flips
from mipha_eval.comparison.gain import Gain
from mipha_eval.comparison.loss import Loss
from mipha_eval.core.errors import UserError
from mipha_eval.judge.stored_task import StoredTask
from mipha_eval.scoring.result_record import ResultRecord

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["better", "worse", "not significant"]
Outcome = Literal["passed", "failed", "cannot tell"]


@dataclass(frozen=True)
class ComparedRun:
    """A run under a name that no other run of the comparison has, and its tasks by label.

    Attributes:
        printed: results without answers, by label, where it is a file of these; such a one has no tasks.
        unknown: why tasks with a result cannot be built here, by label, such as those of a plugin that was not given.
    """

    name: str
    path: Path
    model: str
    tasks: Mapping[str, StoredTask]
    printed: Mapping[str, ResultRecord] = field(default_factory=dict)
    unknown: Mapping[str, UserError] = field(default_factory=dict)

    @property
    def results(self) -> dict[str, ResultRecord]:
        """What is known of every task, by label."""
        return {**{label: stored.summary for label, stored in self.tasks.items()}, **self.printed}


@dataclass(frozen=True)
class Row:
    """A line of the table: a difference and its p-value, corrected for all lines of the table."""

    difference: Difference
    corrected_p: float
    verdict: Verdict


@dataclass(frozen=True)
class Pair:
    """Two runs of one task.

    Attributes:
        runs: places of the first run and the second.
        left_out: how many questions each scored and the other did not.
        changed: questions of the same id that are not the same question, left out as well.
        options: options of the task that differ.
        rows: the first is the headline.
        loss: what the second run lost; None where the first is not the baseline.
        gain: how far the model is above itself, where one of the two is the other's control.
        worst_p: of a second run with every answer wrong, see `gate.worst_p`.
    """

    task: str
    runs: tuple[int, int]
    left_out: Sequence[int]
    changed: int
    options: Sequence[str]
    flips: Flips
    categories: Mapping[str, Flips]
    rows: Sequence[Row]
    loss: Loss | None = None
    worst_p: float | None = None
    gain: Gain | None = None


@dataclass(frozen=True)
class NotCompared:
    """A task of two runs that must not or cannot be compared question by question; `loss` as in `Pair`.

    Attributes:
        values: metric -> the two values, where the numbers at least are of the same quantity.
    """

    task: str
    runs: tuple[int, int]
    reason: str
    loss: Loss | None = None
    values: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class TieGroup:
    """Which runs cannot be told from the best in a task's headline.

    Attributes:
        values: place of a run -> its value on the questions that all of them scored.
        tied: places of the best and of those that do not differ from it significantly; corrected for all pairs of the task.
    """

    task: str
    metric: str
    values: Mapping[int, float]
    tied: Collection[int]
    questions: int


@dataclass(frozen=True)
class Reason:
    """Why a candidate does not pass in a task.

    Attributes:
        run: its place among the runs.
        text: a part of a sentence, without the task and the run.
    """

    outcome: Outcome
    task: str
    run: int
    text: str


@dataclass(frozen=True)
class Gate:
    """What the gate makes of all candidates.

    Attributes:
        allow_missing: so many answers of a task may be lost.
        asked: whether the command's exit code depends on it.
    """

    reasons: Sequence[Reason]
    allow_missing: int = 0
    asked: bool = False

    @property
    def outcome(self) -> Outcome:
        """A failure is one whatever else cannot be told."""
        found = {reason.outcome for reason in self.reasons}
        return "failed" if "failed" in found else "cannot tell" if found else "passed"


@dataclass(frozen=True)
class Comparison:
    """Runs, the first being the baseline, pair by pair.

    Attributes:
        gate: whether the others pass beside the baseline.
        resamples: as asked for.
        draws: of each permutation test whose ways are not listed; more than `resamples` if the correction needs them.
    """

    runs: Sequence[ComparedRun]
    pairs: Sequence[Pair]
    not_compared: Sequence[NotCompared]
    ties: Sequence[TieGroup]
    alpha: float
    resamples: int
    draws: int
    gate: Gate = Gate(())

    def metrics(self) -> pd.DataFrame:
        """A row a metric of two runs: task, metric, headline, baseline and run with their values, difference, low, high,
        p, corrected_p, verdict and n, the questions that both scored.
        """
        return metrics_frame(self)

    def samples(self) -> pd.DataFrame:
        """A row a question that a run answers better (``gained``) or worse (``lost``): task, id, baseline, run, change."""
        return samples_frame(self)

    def _repr_html_(self) -> str:
        return str(self.metrics().to_html(index=False, escape=True))

    @property
    def tests(self) -> int:
        """How many p-values the table shows; they are corrected for each other."""
        return sum(len(pair.rows) for pair in self.pairs)

    @property
    def regressions(self) -> list[Pair]:
        """Where the headline of another run is significantly below the baseline's."""
        return [pair for pair in self.pairs if pair.runs[0] == 0 and pair.rows[0].verdict == "worse"]

    @property
    def gaps(self) -> list[NotCompared]:
        """Tasks of the baseline that were not compared."""
        own = self.runs[0].results
        return [gap for gap in self.not_compared if gap.runs[0] == 0 and gap.task in own]


def metrics_frame(comparison: Comparison) -> pd.DataFrame:
    """See `Comparison.metrics`."""
    import pandas as pd

    names = [run.name for run in comparison.runs]
    rows = [
        {
            "task": pair.task,
            "metric": row.difference.metric,
            "headline": place == 0,
            "baseline": names[pair.runs[0]],
            "run": names[pair.runs[1]],
            "baseline_value": row.difference.values[0],
            "value": row.difference.values[1],
            "difference": row.difference.value,
            "low": row.difference.interval[0] if row.difference.interval else None,
            "high": row.difference.interval[1] if row.difference.interval else None,
            "p": row.difference.p,
            "corrected_p": row.corrected_p,
            "verdict": row.verdict,
            "n": row.difference.questions,
        }
        for pair in comparison.pairs
        for place, row in enumerate(pair.rows)
    ]
    return pd.DataFrame(rows)


def samples_frame(comparison: Comparison) -> pd.DataFrame:
    """See `Comparison.samples`."""
    import pandas as pd

    names = [run.name for run in comparison.runs]
    rows = [
        (pair.task, sample, names[pair.runs[0]], names[pair.runs[1]], change)
        for pair in comparison.pairs
        for change, found in (("gained", pair.flips.gained), ("lost", pair.flips.lost))
        for sample in found
    ]
    return pd.DataFrame(rows, columns=["task", "id", "baseline", "run", "change"])
