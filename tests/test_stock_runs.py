"""Whole runs of stock tasks with 6, 10 and 26 options: letters, rotations, likelihoods and a judge."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.scoring.stock.scorers import SCORERS, scorer_class
from tests.conftest import Cli, read_jsonl, write_jsonl
from tests.judge_server import Say, Serve
from tests.stock_tasks import RULES, things_plugin


@pytest.fixture(autouse=True)
def _judges(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("MIPHA_EVAL_CALIBRATIONS", str(tmp_path / "calibrations"))


def by_task(outcome: Any) -> dict[str, Any]:
    return {result["task"].partition("@")[0]: result for result in outcome.json["results"]}


def flags(plugin: Path, count: int, *tasks: str) -> list[object]:
    options = [flag for task in tasks for flag in ("-a", f"{task}.count={count}")]
    return ["run", "--tasks", ",".join(tasks), "--plugin", plugin, "--json", "-o", plugin.parent / "runs", *options]


def scored_again(cli: Cli, outcome: Any, plugin: Path, *more: object) -> None:
    """The stored answers score as the run said."""
    again = cli("score", outcome.json["run"], "--plugin", plugin, "--json", *more).json
    stored = again["results"] if isinstance(again, dict) and "results" in again else again
    listed = stored if isinstance(stored, list) else [stored]
    assert {each["task"]: each["metrics"] for each in listed} == {
        each["task"]: each["metrics"] for each in outcome.json["results"]
    }


@pytest.mark.parametrize("count", [6, 10, 26])
def test_the_embedded_model_answers(count: int, cli: Cli, tmp_path: Path, serve: Serve) -> None:
    plugin = things_plugin(tmp_path)
    tasks = ["choice", "likelihood", "judge"] + (["circular"] if count < 26 else [])
    server = serve(lambda prompt, before: Say("yes" if "Which one is it?" in prompt else "no"))
    judge = ["--judge", "m", "--judge-base-url", server.url]
    asked = [*flags(plugin, count, *tasks), *judge]
    outcome = cli(*asked)
    assert outcome.code in (0, 3), outcome.err
    results = by_task(outcome)
    assert set(results) == set(tasks)
    for name, result in results.items():
        assert (result["n"], result["failed"]) == (2 * count if name == "circular" else 2, 0)
    assert results["judge"]["metrics"]["accuracy[m]"] == 50
    assert set(results["likelihood"]["metrics"]) == {"accuracy", "per_token", "category/accuracy", "odd"}
    assert {row["reading"] for row in read_jsonl(Path(outcome.json["run"]) / "likelihood@v1/scores.jsonl")} <= set(
        string.ascii_uppercase[:count]
    )
    scored_again(cli, outcome, plugin)


@pytest.mark.parametrize("count", [6, 10, 26])
def test_a_constant_answer(count: int, cli: Cli, tmp_path: Path) -> None:
    """The last letter is right once, and under one rotation of each question."""
    plugin = things_plugin(tmp_path)
    last = string.ascii_uppercase[count - 1]
    tasks = tuple(RULES)
    outcome = cli(*flags(plugin, count, *tasks), "--model", "constant", "-a", f"answer={last}")
    results = by_task(outcome)
    assert results["choice"]["metrics"] == {"accuracy": 50, "category/accuracy": 100, "odd": 0}
    assert results["circular"]["metrics"] == {"accuracy": 0, "vanilla": 50, "category/accuracy": 0, "odd": 0}
    assert (results["circular"]["n"], results["circular"]["unparsed"]) == (2 * count, 0)
    values = [row["value"] for row in read_jsonl(Path(outcome.json["run"]) / "circular@v1/scores.jsonl")]
    assert sum(values) == 2
    assert results["likelihood"]["failed"] == 2
    assert (results["judge"]["metrics"], results["judge"]["rules"]) == ({}, {"not-judged": 2})
    scored_again(cli, outcome, plugin)


def test_recorded_grades(cli: Cli, tmp_path: Path) -> None:
    """A grade file answers yes and no where it is asked for that, and grades where grades are."""
    plugin = things_plugin(tmp_path)
    grades = tmp_path / "grades.json"
    grades.write_text(
        json.dumps({"last": {"score": [1.0, 1.0], "model": ["g"]}, "first": {"score": [0.0, 1.0], "model": ["g"]}})
    )
    run = [*flags(plugin, 6, "judge"), "--model", "constant", "-a", "answer=A"]
    for kind, metric in (("correct", "accuracy"), ("scale", "score")):
        outcome = cli(*run, "-a", f"judge.grades={kind}", "--grades", grades)
        assert outcome.code == 0, outcome.err
        (result,) = outcome.json["results"]
        assert result["metrics"][f"{metric}[g]"] == 75
        assert result["judge"]["runs"] == 2


def test_recorded_grades_of_a_group(cli: Cli, tmp_path: Path) -> None:
    """Each answer of a group has its own grade."""
    plugin = things_plugin(tmp_path)
    plugin.write_text(
        plugin.read_text().replace('id="last"', 'id="last", group="g"').replace('id="first"', 'id="first", group="g"')
    )
    grades = tmp_path / "grades.json"
    grades.write_text(json.dumps({"last": {"score": [1.0], "model": ["g"]}, "first": {"score": [0.0], "model": ["g"]}}))
    outcome = cli(*flags(plugin, 6, "judge"), "--model", "constant", "-a", "answer=A", "--grades", grades)
    (result,) = outcome.json["results"]
    assert {name: result["metrics"][name] for name in ("accuracy[g]", "group_accuracy[g]", "odd[g]")} == {
        "accuracy[g]": 50,
        "group_accuracy[g]": 0,
        "odd[g]": 0,
    }


def test_floors_and_probabilities_of_many_options(cli: Cli, tmp_path: Path) -> None:
    plugin = things_plugin(tmp_path)
    drawn = by_task(cli(*flags(plugin, 26, "choice", "circular"), "--model", "random"))
    assert (drawn["choice"]["failed"], drawn["circular"]["failed"]) == (0, 0)
    asked = by_task(cli(*flags(plugin, 10, "choice"), "--probabilities"))
    assert asked["choice"]["probabilities"]["n"] == 2


def test_a_judge_reads_what_rules_cannot(cli: Cli, tmp_path: Path, serve: Serve) -> None:
    """A circular question whose rotations are all right but one, which the judge matches."""
    plugin = things_plugin(tmp_path)
    text = "It is the very last one of those that you have shown me there."
    server = serve(lambda prompt, before: Say("F"))
    run = [*flags(plugin, 6, "circular"), "--model", "constant", "-a", f"answer={text}"]
    outcome = cli(*run, "--judge", "m", "--judge-base-url", server.url)
    (result,) = outcome.json["results"]
    assert set(result["metrics"]) == {"accuracy[m]", "category/accuracy[m]", "odd[m]"}
    assert len(server.prompts) >= 2
    assert "There are several options" in server.prompts[0]
    assert result["metrics"]["accuracy[m]"] == 0  # F is right under one rotation alone


def test_the_example_of_the_guide_runs(cli: Cli, tmp_path: Path) -> None:
    """The Python block of docs/stock-scorers.md is a plugin file."""
    guide = (Path(__file__).resolve().parents[1] / "docs/stock-scorers.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    (tmp_path / "flags.py").write_text(block)
    assert len(block[block.index("@dataclass") :].splitlines()) < 15
    rows = [{"question": "Whose flag?", "answers": ["The Netherlands", "Holland"], "image": "1.png"}]
    write_jsonl(tmp_path / "flags/questions.jsonl", rows)
    asked = ["run", "--tasks", "flags", "--plugin", tmp_path / "flags.py", "--data", tmp_path, "-o", tmp_path / "runs"]
    outcome = cli(*asked, "--model", "constant", "-a", "answer=Netherlands", "--json")
    assert outcome.json["results"][0]["metrics"] == {"anls": pytest.approx(100 * 11 / 15)}
    assert cli(*asked, "--model", "constant", "-a", "flags.threshold=0.8", "--json").code == 0


def test_the_guide_names_every_scorer() -> None:
    guide = (Path(__file__).resolve().parents[1] / "docs/stock-scorers.md").read_text()
    for name in SCORERS:
        assert f"| `{name}` `{scorer_class(name).__name__}` |" in guide
