"""Areas and calibration against brute force; probabilities from the command line against the model's own logits."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mipha_eval.scoring.probability import auc, reliability
from tests.conftest import Cli, read_jsonl

scored = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=40)


@given(scored)
def test_area_is_the_share_of_pairs_in_order(rows: list[tuple[float, bool]]) -> None:
    found = auc(np.array([score for score, _ in rows]), np.array([right for _, right in rows]))
    pairs = list(itertools.product([score for score, right in rows if right], [score for score, right in rows if not right]))
    if not pairs:
        assert found is None
    else:
        assert found == pytest.approx(sum((high > low) + 0.5 * (high == low) for high, low in pairs) / len(pairs))


@given(scored)
def test_bins_hold_every_question_once(rows: list[tuple[float, bool]]) -> None:
    confident, right = np.array([score for score, _ in rows]), np.array([float(each) for _, each in rows])
    bins = reliability(confident, right)
    assert sum(count for count, _, _ in bins) == len(rows)
    assert sum(count * mean for count, mean, _ in bins) == pytest.approx(confident.sum())
    assert sum(count * mean for count, _, mean in bins) == pytest.approx(right.sum())


@pytest.mark.parametrize("task", ["pope", "mme", "mmbench", "seed", "scienceqa"])
def test_from_the_command_line(task: str, cli: Cli, tmp_path: Path) -> None:
    """Asking for probabilities changes no answer, and they are those of the first tokens."""
    plain = cli("run", "--tasks", task, "--limit", 24, "--output", tmp_path / "plain", "--json")
    asked = cli("run", "--tasks", task, "--limit", 24, "--output", tmp_path / "asked", "--json", "--probabilities")
    (before,), (after,) = plain.json["results"], asked.json["results"]
    assert before["probabilities"] is None
    assert after["metrics"] == before["metrics"]
    found = after["probabilities"]
    rows = read_jsonl(Path(asked.json["run"]) / after["task"] / "responses.jsonl")
    assert found["n"] == len([row for row in rows if row.get("probabilities")])
    assert found["mass"] == pytest.approx(
        100 * np.mean([sum(row["probabilities"]) for row in rows if row.get("probabilities")])
    )
    assert all(0 < sum(row["probabilities"]) <= 1 + 1e-6 for row in rows if row.get("probabilities"))
    if task in ("pope", "mme"):
        answers = [("Yes", "No")[row["probabilities"].index(max(row["probabilities"]))] for row in rows]
        assert answers == [row["text"] for row in rows], "a sure model says what it holds probable"
    rescored = cli("score", asked.json["run"], "--json").json
    assert rescored["probabilities"] == found
    report = (Path(asked.json["run"]) / "report.md").read_text()
    assert "calibration error" in report


def test_a_model_without_probabilities_has_none(cli: Cli, tmp_path: Path) -> None:
    done = cli(
        "run",
        "--tasks",
        "pope",
        "--model",
        "constant",
        "--data",
        "demo",
        "--limit",
        8,
        "--output",
        tmp_path,
        "--json",
        "--probabilities",
    )
    assert json.loads(done.out)["results"][0]["probabilities"] is None
    assert "no probabilities" in done.err
