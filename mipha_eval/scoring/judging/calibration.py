"""How far a judge is from a trusted one, as results and ``results/calibrations`` say it."""

from __future__ import annotations

from msgspec import Struct

from mipha_eval.core.record import Count, Finite


class Calibration(Struct, frozen=True, kw_only=True):
    """How a judge's grades of some answers compare with trusted ones. What cannot be known from so few is None.

    Attributes:
        reference: the trusted judge.
        grades, answers: names of the files.
        n: answers that both graded.
        total, reference_total: the mean grades, in points of 100.
        bias: what the judge adds to the total, in points.
        bias_interval: the same at 95 %, clustered by image.
        mean_absolute_error: of a grade, 0 to 1.
        kappa: Cohen's, with quadratic weights.
        rank_correlation: Spearman's.
        runs, reference_runs: grades of each answer by the judge, and by the trusted one.
        repeat_deviation, reference_repeat_deviation: standard deviation between these.
        total_deviation: standard deviation of the total between the judge's runs, in points.
        unreadable: answers whose verdicts could not be read.
        not_graded: answers that the judge did not grade.
    """

    judge: str
    task: str = ""
    reference: str
    grades: str = ""
    answers: str = ""
    n: Count
    total: Finite | None = None
    reference_total: Finite | None = None
    bias: Finite
    bias_interval: tuple[Finite, Finite] | None
    mean_absolute_error: Finite
    kappa: Finite
    rank_correlation: Finite | None = None
    runs: Count = 1
    repeat_deviation: Finite | None = None
    reference_runs: Count = 1
    reference_repeat_deviation: Finite | None = None
    total_deviation: Finite | None = None
    unreadable: Count = 0
    not_graded: Count = 0
