"""Intervals, standard errors and tests against scipy, statsmodels, brute force and simulated runs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import normal_power

from mipha_eval.core.metrics import ClusterCounts, Metric, share
from mipha_eval.scoring.binary import binary_metrics
from mipha_eval.stats import mcnemar, permutation
from mipha_eval.stats.bootstrap import bootstrap_values, resample_sums
from mipha_eval.stats.holm import holm
from mipha_eval.stats.paired_test import paired_test
from mipha_eval.stats.panel import Panel, counts_read
from mipha_eval.stats.permutation import sign_flip
from mipha_eval.stats.power import detectable_difference
from mipha_eval.stats.ranks import rank_intervals
from mipha_eval.stats.standard_error import difference_error, influences
from mipha_eval.stats.ties import tied_with_best

ACCURACY = share("accuracy")
F1 = binary_metrics(["a"])[0]
TRUTH = 60.0  # accuracy of the simulated runs
CELLS = ("a/fn", "a/fp", "a/tn", "a/tp")


def accuracy_panel(right: np.ndarray, asked: np.ndarray) -> Panel:
    """From right answers [runs, clusters] to so many questions [clusters]."""
    return Panel(ACCURACY, ("asked", "right"), np.stack([np.broadcast_to(asked, right.shape), right], axis=2).astype(float))


def clustered_runs(generator: np.random.Generator, clusters: int, runs: int = 2) -> Panel:
    """Equally good runs; images differ in how hard they are, and each run has images that suit it."""
    asked = generator.integers(2, 10, clusters)
    easy, suits = generator.uniform(-0.1, 0.1, clusters), generator.uniform(-0.25, 0.25, (runs, clusters))
    return accuracy_panel(generator.binomial(asked, TRUTH / 100 + easy + suits), asked)


def yes_no_runs(generator: np.random.Generator, clusters: int, rates: Sequence[tuple[float, float]]) -> Panel:
    """Runs that say yes to so many of 6 present and of 6 absent objects an image."""
    bias = generator.uniform(-0.02, 0.02, clusters)
    found = []
    for present, absent in rates:
        tp, fp = (generator.binomial(6, rate + bias) for rate in (present, absent))
        found.append(np.stack([6 - tp, fp, 6 - fp, tp], axis=1))
    return Panel(F1, CELLS, np.array(found, dtype=float))


def percentile_interval(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def f1(present: float, absent: float) -> float:
    return 200 * present / (1 + present + absent)


def test_resampled_sums_are_multinomial() -> None:
    """Few kinds of images are drawn together, many one by one; either way a sum of 0 and 1 is binomial."""
    generator = np.random.default_rng(0)
    right = generator.binomial(1, 0.3, 400).astype(float)
    expected = scipy.stats.binom(400, right.mean())
    apart = np.column_stack([right, np.arange(400)])  # no two rows are the same
    for table in (right[:, None], apart):
        sums = resample_sums(table, 20_000)[:, 0]
        for quantile in (0.025, 0.25, 0.5, 0.75, 0.975):
            assert abs(np.quantile(sums, quantile) - expected.ppf(quantile)) <= 1
        assert sums.var() == pytest.approx(expected.var(), rel=0.05)


def test_interval_against_scipy() -> None:
    panel = accuracy_panel(np.random.default_rng(1).binomial(5, 0.8, (2, 120)), np.full(120, 5))
    own = bootstrap_values(panel, 10_000)
    values = panel.counts[..., 1] / 5 * 100
    for mine, theirs in ((own[0], values[0]), (own[1] - own[0], values[1] - values[0])):
        reference = scipy.stats.bootstrap((theirs,), np.mean, n_resamples=10_000, method="percentile", random_state=2)
        assert percentile_interval(mine) == pytest.approx(
            tuple(reference.confidence_interval), abs=0.2
        )  # a question more is 0.17


def test_runs_are_resampled_together() -> None:
    """A run against itself has no difference in any resample."""
    panel = clustered_runs(np.random.default_rng(2), 50, runs=1)
    values = bootstrap_values(Panel(ACCURACY, panel.names, panel.counts[[0, 0]]), 500)
    assert (values[0] == values[1]).all()
    assert values[0].std() > 1


def questions_of(panel: Panel, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Each question's scores [runs, questions] and its cluster."""
    scores: list[list[np.ndarray]] = [[], []]
    for run, counts in enumerate(panel.counts):
        for asked, right in counts.astype(int):
            scores[run].append(generator.permutation(np.arange(asked) < right))
    cluster = np.repeat(np.arange(panel.clusters), panel.counts[0, :, 0].astype(int))
    return np.array([np.concatenate(own) for own in scores], dtype=float), cluster


def standard_errors(panel: Panel) -> list[float]:
    """Of each run by itself, from what is subtracted for the difference of two."""
    return [float(np.sqrt(len(own) * own.var(ddof=1))) for own in influences(panel)]


def test_standard_errors_against_statsmodels() -> None:
    """Cluster-robust errors of a regression on nothing but a constant."""
    generator = np.random.default_rng(3)
    panel = clustered_runs(generator, 70)
    scores, cluster = questions_of(panel, generator)

    def reference(values: np.ndarray) -> float:
        fitted = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": cluster})
        return 100 * float(fitted.bse[0])

    assert standard_errors(panel) == pytest.approx([reference(own) for own in scores], rel=1e-6)
    assert difference_error(panel) == pytest.approx(reference(scores[1] - scores[0]), rel=1e-6)


def f1_influence(counts: np.ndarray) -> np.ndarray:
    """By the derivatives of 2 tp / (2 tp + fp + fn), on paper."""
    fn, fp, _, tp = counts.sum(axis=0)
    slopes = np.array([-2 * tp, -2 * tp, 0, 2 * (fp + fn)]) / (2 * tp + fp + fn) ** 2
    influence: np.ndarray = 100 * counts @ slopes
    return influence


def f1_error(pair: np.ndarray) -> float:
    influence = f1_influence(pair[1]) - f1_influence(pair[0])
    return float(np.sqrt(len(influence) * influence.var(ddof=1)))


def test_standard_error_of_f1() -> None:
    """The delta method by hand, and what resampling gives."""
    panel = yes_no_runs(np.random.default_rng(4), 150, [(0.8, 0.15), (0.7, 0.1)])
    assert difference_error(panel) == pytest.approx(f1_error(panel.counts), rel=1e-6)
    values = bootstrap_values(panel, 5_000)
    assert difference_error(panel) == pytest.approx((values[1] - values[0]).std(), rel=0.05)
    assert standard_errors(panel) == pytest.approx(values.std(axis=1), rel=0.05)


def test_standard_error_where_a_count_never_occurs() -> None:
    counts = np.zeros((2, 10, 4))
    counts[:, :, 2] = 3  # neither run ever says yes
    assert difference_error(Panel(F1, CELLS, counts)) == 0


def studentized(values: np.ndarray, axis: int = -1) -> np.ndarray:
    found: np.ndarray = np.abs(values.mean(axis=axis)) / values.std(axis=axis, ddof=1)
    return found


def test_sign_flip_against_scipy() -> None:
    """All sign changes of the differences of 12 images."""
    right = np.random.default_rng(5).binomial(9, [[0.5], [0.68]], (2, 12))
    panel = accuracy_panel(right, np.full(12, 9))
    apart = right[1].astype(float) - right[0]
    reference = scipy.stats.permutation_test(
        (apart,), studentized, permutation_type="samples", alternative="greater", n_resamples=np.inf
    )
    found = sign_flip(panel, 100)
    assert found.test == "exact sign flip"
    assert 0.001 < found.p < 0.2
    assert found.p == pytest.approx(reference.pvalue, abs=1e-9)


def test_sign_flip_of_f1_against_all_exchanges() -> None:
    panel = yes_no_runs(np.random.default_rng(6), 9, [(0.8, 0.3), (0.6, 0.1)])
    statistics = []
    for flips in itertools.product((0, 1), repeat=9):
        exchanged = np.array([[panel.counts[run ^ flip, place] for place, flip in enumerate(flips)] for run in (0, 1)])
        totals = exchanged.sum(axis=1)
        scores = 200 * totals[:, 3] / (2 * totals[:, 3] + totals[:, 0] + totals[:, 1])
        statistics.append(abs(scores[1] - scores[0]) / f1_error(exchanged))
    expected = np.mean(np.array(statistics) >= statistics[0] * (1 - 1e-6))
    assert sign_flip(panel, 100).p == pytest.approx(expected, abs=1e-9)


def test_drawn_exchanges_come_near_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = yes_no_runs(np.random.default_rng(7), 12, [(0.8, 0.3), (0.7, 0.25)])
    exact = sign_flip(panel, 100).p
    monkeypatch.setattr(permutation, "LISTED", 0)
    drawn = sign_flip(panel, 20_000)
    assert drawn.test == "sign flip, 20,000 draws"
    assert abs(drawn.p - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000)


def test_runs_that_do_not_differ() -> None:
    same = clustered_runs(np.random.default_rng(8), 40, runs=1)
    assert sign_flip(Panel(ACCURACY, same.names, same.counts[[0, 0]]), 100).p == 1
    assert sign_flip(accuracy_panel(np.array([[0], [3]]), np.array([3])), 100).p == 1  # one image says nothing
    assert np.isnan(difference_error(accuracy_panel(np.array([[0], [3]]), np.array([3]))))


def test_a_difference_without_variance() -> None:
    """One run right on every image, the other on none: only two of all exchanges are as extreme."""
    assert sign_flip(accuracy_panel(np.array([[0] * 8, [2] * 8]), np.full(8, 2)), 100).p == pytest.approx(2 / 2**8)


@given(st.lists(st.sampled_from([(0, 0), (0, 1), (1, 0), (1, 1)]), min_size=2, max_size=60))
def test_mcnemar(answers: list[tuple[int, int]]) -> None:
    """Against statsmodels, and against exchanging single questions."""
    pair = accuracy_panel(np.array(answers).T, np.ones(len(answers)))
    table = [[answers.count((1, 1)), answers.count((1, 0))], [answers.count((0, 1)), answers.count((0, 0))]]
    found = paired_test(pair, 100)
    assert found.test == "exact McNemar"
    assert found.p == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue, abs=1e-9)
    assert found.p == pytest.approx(sign_flip(pair, 100).p, abs=1e-9)


def test_mcnemar_is_for_single_questions_alone() -> None:
    asked = np.ones(6)
    assert mcnemar.applies(accuracy_panel(np.array([[0, 1, 1, 0, 1, 0], [1, 1, 1, 0, 1, 0]]), asked))
    assert not mcnemar.applies(accuracy_panel(np.array([[0, 1, 0.5, 0, 1, 0], [1, 1, 1, 0, 1, 0]]), asked))
    assert not mcnemar.applies(
        accuracy_panel(np.array([[0, 1, 2, 0, 1, 0], [1, 1, 1, 0, 1, 0]]), np.array([1, 1, 2, 1, 1, 1]))
    )
    assert not mcnemar.applies(yes_no_runs(np.random.default_rng(0), 6, [(0.5, 0.5), (0.5, 0.5)]))


@pytest.mark.parametrize(
    "p_values", [[0.3], [0.04, 0.01, 0.03, 0.01], [0.5, 0.5, 0.9, 1.0], [0.0, 0.02, 0.011, 0.0004, 0.6]]
)
def test_holm(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist(), abs=1e-12)


@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.01, 0.9)])
def test_detectable_difference(alpha: float, power: float) -> None:
    """A test of a true difference of that size finds it that often."""
    found = detectable_difference(1.7, alpha, power)
    assert normal_power(found / 1.7, nobs=1, alpha=alpha, sigma=1.0) == pytest.approx(power, abs=1e-4)


def test_intervals_and_errors_cover() -> None:
    """Of 95 % intervals, 93 to 97 in 100 hold the truth; of those that ignore clusters fewer do."""
    generator = np.random.default_rng(9)
    trials, held = 1200, {"bootstrap": 0, "error": 0, "difference": 0, "difference error": 0, "no clusters": 0}
    for _ in range(trials):
        panel = clustered_runs(generator, 200)
        values, resampled = panel.values(), bootstrap_values(panel, 400)
        low, high = percentile_interval(resampled[0])
        held["bootstrap"] += low <= TRUTH <= high
        held["error"] += abs(values[0] - TRUTH) <= 1.96 * standard_errors(panel)[0]
        low, high = percentile_interval(resampled[1] - resampled[0])
        held["difference"] += low <= 0 <= high
        held["difference error"] += abs(values[1] - values[0]) <= 1.96 * difference_error(panel)
        share_right, questions = values[0] / 100, panel.counts[0, :, 0].sum()
        held["no clusters"] += abs(values[0] - TRUTH) <= 196 * np.sqrt(share_right * (1 - share_right) / questions)
    rates = {name: count / trials for name, count in held.items()}
    assert rates.pop("no clusters") < 0.93
    for name, rate in rates.items():
        assert 0.93 <= rate <= 0.97, (name, rates)


def test_false_alarms() -> None:
    """Of equally good runs at most 5 in 100 are told apart, but for simulation error; single questions would mislead."""
    generator = np.random.default_rng(10)
    trials, alarms = 800, {"sign flip": 0, "F1": 0, "single questions": 0}
    cautious = (0.6, 0.05)
    rates = [cautious, (0.9, 200 * 0.9 / f1(*cautious) - 1.9)]  # the second says yes more often, with the same F1
    assert f1(*rates[0]) == pytest.approx(f1(*rates[1]))
    for _ in range(trials):
        panel = clustered_runs(generator, 40)
        alarms["sign flip"] += sign_flip(panel, 199).p <= 0.05
        scores, _ = questions_of(panel, generator)
        table = [[0, (scores[0] > scores[1]).sum()], [(scores[1] > scores[0]).sum(), 0]]
        alarms["single questions"] += statsmodels_mcnemar(table, exact=True).pvalue <= 0.05
        alarms["F1"] += sign_flip(yes_no_runs(generator, 40, rates), 199).p <= 0.05
    most = 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / trials)
    assert 0.03 < alarms["sign flip"] / trials < most
    assert 0.03 < alarms["F1"] / trials < most
    assert alarms["single questions"] / trials > most


def test_ranks() -> None:
    """Intervals hold the true ranks; runs that are the same share all ranks."""
    generator = np.random.default_rng(11)
    held = 0
    for _ in range(200):
        right = np.stack([generator.binomial(5, chance, 80) for chance in (0.6, 0.66, 0.8)])
        found = rank_intervals(bootstrap_values(accuracy_panel(right, np.full(80, 5)), 300))
        held += all(low <= rank <= high for (low, high), rank in zip(found, (3, 2, 1), strict=True))
    assert held / 200 >= 0.93
    assert found[2] == (1, 1)
    same = clustered_runs(generator, 30, runs=1)
    assert rank_intervals(bootstrap_values(Panel(ACCURACY, same.names, same.counts[[0, 0, 0]]), 100)) == [(1, 3)] * 3


def test_ties() -> None:
    generator = np.random.default_rng(12)
    right = np.stack([generator.binomial(5, chance, 150) for chance in (0.8, 0.5, 0.8)])
    panel = accuracy_panel(right, np.full(150, 5))
    assert tied_with_best(panel, 2_000, 0.05) == {0, 2}
    assert tied_with_best(panel.pair(1, 0), 2_000, 0.05) == {1}


def test_ties_are_seldom_wrong() -> None:
    """Of four equally good runs all are tied in at least 95 of 100 tables, but for simulation error."""
    generator = np.random.default_rng(13)
    whole = sum(len(tied_with_best(clustered_runs(generator, 40, runs=4), 199, 0.05)) == 4 for _ in range(150))
    assert whole / 150 >= 0.95 - 2.6 * np.sqrt(0.05 * 0.95 / 150)


def test_only_what_a_metric_reads_is_compared() -> None:
    counts = ClusterCounts()
    for cluster in "abc":
        counts.add(cluster, {"a/tp": 1, "right": 1, "asked": 1, "only/x/asked": 1})
    other = ClusterCounts()
    for cluster in "abc":
        other.add(cluster, {"a/fp": 2, "a/tp": 1, "right": 0, "asked": 1})
    assert counts_read(ACCURACY, list(counts.totals)) == ("asked", "right")
    panel = Panel.of([counts, other], F1)
    assert panel.names == ("a/fp", "a/tp")
    assert panel.counts.tolist() == [[[0, 1]] * 3, [[2, 1]] * 3]
    assert panel.values().tolist() == pytest.approx([100, 50])
    every = Metric("names", lambda totals: float(len(list(totals.names()))))
    assert len(counts_read(every, list(counts.totals))) == 4
    stranger = ClusterCounts()
    stranger.add("d", {"right": 1})
    with pytest.raises(ValueError, match="same clusters"):
        Panel.of([counts, stranger], ACCURACY)
