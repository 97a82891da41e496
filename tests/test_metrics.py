"""Metrics and intervals against second implementations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mipha_eval.core.metrics import ClusterCounts, Metric, Totals
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.reporting.summary import readings_line
from mipha_eval.scoring.result import score_responses
from mipha_eval.stats.interval import run_intervals
from tests.conftest import mme_points, pope_numbers

UGLY = [
    "yes",
    "no",
    "Yes",
    "No",
    "NO",
    "Yes.",
    "No.",
    "no, it is not",
    "not.",
    "Not a dog",
    "",
    " ",
    "nothing",
    "n/a",
    "I know",
    "The answer is yes",
    "\nyes. no",
    "a, no",
    "no,",
    ",no",
    "yes\tno",
    "no\n",
    "\nno",
    " no",
    "ye",
    "Nope",
    "是",
]

answers = st.one_of(
    st.sampled_from(UGLY),
    st.text(alphabet="yesnoNOt .,\n\tx", max_size=12),
)


@pytest.fixture(scope="module")
def tasks() -> dict[str, tuple[Task, list[Sample]]]:
    source = parse_source("demo", {})
    made = {name: build_task(name, {}, source, Registry()) for name in ("pope", "mme")}
    return {name: (task, list(task.samples())) for name, task in made.items()}


def score_texts(task: Task, samples: list[Sample], texts: list[str]) -> dict[str, float]:
    responses = {sample.id: Response(text) for sample, text in zip(samples, texts, strict=True)}
    return dict(score_responses(task, samples, responses).summary.metrics)


@given(st.lists(answers, min_size=12, max_size=12))
@settings(max_examples=300, deadline=None)
def test_pope_equals_the_oracle(tasks: Any, texts: list[str]) -> None:
    task, everything = tasks["pope"]
    samples = [
        sample for category in ("adversarial", "random", "popular") for sample in everything if sample.category == category
    ][::90]
    metrics = score_texts(task, samples, texts)
    f1 = []
    for category in {sample.category: None for sample in samples}:
        chosen = [index for index, sample in enumerate(samples) if sample.category == category]
        numbers = pope_numbers([texts[index] for index in chosen], [samples[index].target[0] for index in chosen])
        f1.append(numbers["f1"])
        for name, value in numbers.items():
            assert metrics[f"{category}/{name}"] == pytest.approx(value, abs=1e-9)
    assert metrics["f1"] == pytest.approx(sum(f1) / 3, abs=1e-9)


@given(st.lists(answers, min_size=20, max_size=20))
@settings(max_examples=300, deadline=None)
def test_mme_equals_the_oracle(tasks: Any, texts: list[str]) -> None:
    task, everything = tasks["mme"]
    samples = [sample for index, sample in enumerate(everything) if index // 2 % 24 == 0]
    metrics = score_texts(task, samples, texts[: len(samples)])
    total = 0.0
    for subtask in {sample.category: None for sample in samples}:
        chosen = [index for index, sample in enumerate(samples) if sample.category == subtask]
        points = mme_points([texts[index] for index in chosen], [samples[index].target[0] for index in chosen])
        assert metrics[subtask] == pytest.approx(points, abs=1e-9)
        total += points
    assert metrics["perception"] == pytest.approx(total, abs=1e-9)


def test_what_unparsed_answers_could_be_worth(tasks: Any) -> None:
    """The envelope and the forgiving reading are the headline of the answers that they stand for."""
    task, everything = tasks["pope"]
    samples = everything[:60]
    truth = [sample.target[0] for sample in samples]
    said = {0: "I cannot say", 1: "NO", 2: "hm", 3: "The answer is no"}
    texts = [said.get(number, label) for number, label in enumerate(truth)]
    responses = {sample.id: Response(text) for sample, text in zip(samples, texts, strict=True)}
    summary = score_responses(task, samples, responses).summary
    opposite = {"yes": "no", "no": "yes"}
    assert summary.envelope is not None
    for end, right in zip(summary.envelope, (False, True), strict=True):
        filled = list(texts)
        for number in (0, 2):
            filled[number] = truth[number] if right else opposite[truth[number]]
        assert end == pytest.approx(score_texts(task, samples, filled)["f1"], abs=1e-9)
    read = [
        "yes",
        "no",
        "yes",
        "no",
        *truth[4:],
    ]  # what the forgiving reading does not read stays as the official rule has it
    assert summary.lenient == pytest.approx(score_texts(task, samples, read)["f1"], abs=1e-9)
    low, high = summary.envelope
    ends = f"f1: {low:.2f} if every unparsed answer is wrong, {high:.2f} if every one is right; {summary.lenient:.2f} under"
    assert readings_line(summary).startswith(ends)
    whole = score_responses(task, samples, {sample.id: Response(sample.target[0]) for sample in samples}).summary
    assert readings_line(whole) == "f1: 100.00 under a more forgiving reading"  # no answer is unparsed


def test_intervals_cover() -> None:
    """Nominal 95 % intervals of a mean hold the truth 93 to 97 times in 100 on clustered data."""
    mean = Metric("mean", lambda totals: 100 * totals.ratio(totals["right"], totals["asked"]))
    generator = np.random.default_rng(1)
    covered = 0
    trials = 600
    for _ in range(trials):
        tallies = ClusterCounts()
        for cluster in range(80):
            chance = np.clip(0.7 + generator.uniform(-0.25, 0.25), 0, 1)
            size = int(generator.integers(1, 8))
            tallies.add(str(cluster), {"right": float(generator.binomial(size, chance)), "asked": float(size)})
        found = run_intervals(tallies, [mean])["mean"]
        assert found.bounds is not None
        covered += found.bounds[0] <= 70 <= found.bounds[1]
    assert 0.93 <= covered / trials <= 0.975


def test_nothing_to_count() -> None:
    totals = Totals({})
    assert totals["anything"] == 0
    assert totals.ratio(1.0, 0.0) == 0
    arrays = totals.ratio(np.array([1.0, 1.0]), np.array([0.0, 2.0]))
    assert arrays.tolist() == [0, 0.5]


def test_one_cluster_has_no_interval() -> None:
    counts = ClusterCounts()
    counts.add("a", {"right": 1.0})
    found = run_intervals(counts, [Metric("x", lambda totals: totals["right"])])["x"]
    assert (found.bounds, found.why_not) == (None, "of one image")


def test_a_half_answered_image_of_mme(tasks: Any) -> None:
    """With one question unanswered the image cannot have both right."""
    task, samples = tasks["mme"]
    truth = {sample.id: Response(sample.target[0]) for sample in samples[:2]}
    assert score_responses(task, samples[:2], truth).summary.metrics["existence"] == 200
    half = score_responses(task, samples[:2], dict(list(truth.items())[:1])).summary
    assert (half.metrics["existence"], half.missing) == (100, 1)
