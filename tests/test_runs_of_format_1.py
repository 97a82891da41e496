"""Runs that 0.1.0 wrote are read, gone on with, scored, reported, shown and compared by this version, with the same numbers.

``tests/runs_of_format_1`` holds two small runs as 0.1.0 left them, paths of that machine apart, and in ``told.json`` what
its ``report`` and ``compare`` said of them.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli, Outcome, read_json, read_jsonl, write_jsonl

STORED = Path(__file__).parent / "runs_of_format_1"
TINY, CONSTANT = "mipha-tiny__20261126-191459__ad1f1f", "constant__20261126-191539__decf01"
#: names of format 1 -> those of today
RENAMED = {"robust": "lenient", "robust_moves": "lenient_moves"}
#: what a result says of the code and the command that made it, not of the answers
OF_THE_COMMAND = {"certificate", "floor", "generated", "seconds", "timed"}  # no run of format 1 tells of floors
ASKED = ["run", "--tasks", "pope,mmvet,mme,coco-cap", "--model", "constant", "-a", "answer=yes", "--data", "demo"]
ASKED += ["-a", "coco_cap.tokenizer=treebank"]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with both runs, and the grades that one was judged with."""
    folder = Path(shutil.copytree(STORED, tmp_path / "runs", ignore=shutil.ignore_patterns("told.json")))
    rows = read_jsonl(folder / CONSTANT / "mmvet@demo/verdicts.jsonl")
    grades = {row["sample"]: {"model": [row["model"]], "score": [float(row["text"])]} for row in rows}
    (tmp_path / "grades.json").write_text(json.dumps(grades))
    return folder


def go_on(cli: Cli, runs: Path, limit: int) -> Outcome:
    """The command that began the run of the constant model."""
    return cli(*ASKED, "--limit", limit, "--grades", runs.parent / "grades.json", "--output", runs, "--json")


def numbers(result: dict[str, Any]) -> dict[str, Any]:
    """A result under today's names, without what tells the command."""
    return {RENAMED.get(name, name): value for name, value in result.items() if name not in OF_THE_COMMAND}


def stored(run: Path) -> dict[str, dict[str, Any]]:
    return {file.parent.name: numbers(read_json(file)) for file in sorted(run.glob("*/result.json"))}


def close(value: Any) -> Any:
    """The same, equal to what another machine's processor makes of it: its last bits differ where sums are cut otherwise."""
    match value:
        case dict():
            return {name: close(each) for name, each in value.items()}
        case list():
            return [close(each) for each in value]
        case float():
            return pytest.approx(value, rel=1e-11)
    return value


def test_they_are_of_format_1() -> None:
    for run in (TINY, CONSTANT):
        assert read_json(STORED / run / "manifest.json")["schema"] == 1
        assert "robust" in read_json(STORED / run / "pope@demo/result.json")
        assert "standing" in read_json(STORED / run / "pope@demo/task.json")
        assert {"references", "parts", "bare"} <= read_jsonl(STORED / run / "pope@demo/samples.jsonl")[0].keys()
        assert "parts" in read_jsonl(STORED / run / "pope@demo/scores.jsonl")[0]
    assert "chances" in read_jsonl(STORED / TINY / "pope@demo/responses.jsonl")[0]
    assert "alone" in read_json(STORED / TINY / "equivalence.json")["samples"][0]


@pytest.mark.parametrize("name", [TINY, CONSTANT])
def test_scored_again(name: str, runs: Path, cli: Cli) -> None:
    outcome = cli("score", runs / name, "--json")
    assert outcome.code == 0, outcome.err
    assert {result["task"]: numbers(result) for result in outcome.json} == close(stored(STORED / name))


def test_reported(runs: Path, cli: Cli) -> None:
    outcome = cli("report", runs / TINY, runs / CONSTANT, "--format", "json")
    assert outcome.code == 0, outcome.err
    told = outcome.out.replace(f"{runs}/", "")
    assert json.loads(told) == close(read_json(STORED / "told.json")["report"])


def test_compared(runs: Path, cli: Cli) -> None:
    outcome = cli("compare", runs / TINY, runs / CONSTANT, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out.replace(f"{runs}/", "")) == close(read_json(STORED / "told.json")["compare"])


def test_shown(runs: Path, cli: Cli, tmp_path: Path) -> None:
    outcome = cli("view", runs / TINY, runs / CONSTANT, "-o", tmp_path / "view.html")
    assert outcome.code == 0, outcome.err
    found = re.findall(r'<script type="application/json" id="([\w-]+)">(.*?)</script>', (tmp_path / "view.html").read_text())
    data = {name: json.loads(text) for name, text in found}
    labels = [task["label"] for task in data["document"]["tasks"]]
    assert set(labels) == {*stored(STORED / TINY), *stored(STORED / CONSTANT)}
    for label in ("pope@demo", "mmbench@demo"):
        rows = [row for name, part in data.items() if name.startswith(f"rows-{labels.index(label)}-") for row in part]
        old = {row["id"]: row for row in read_jsonl(STORED / TINY / label / "samples.jsonl")}
        answers = {row["sample"]: row for row in read_jsonl(STORED / TINY / label / "responses.jsonl")}
        assert [[*row["target"], *row["choices"]] for row in rows] == [old[row["id"]]["references"] for row in rows]
        assert [row["prompt"] for row in rows] == [old[row["id"]]["question"] for row in rows]
        for row in rows:
            assert [chance for _, chance in row["answers"][0]["probabilities"]] == answers[row["id"]]["chances"]
    checks = [row["answers"][0].get("reference") for row in data[f"rows-{labels.index('pope@demo')}-0"]]
    assert checks.count({"same": True}) == 2
    assert cli("leaderboard", runs, "-o", tmp_path / "site").code == 0


def test_the_same_command_asks_nothing_again(runs: Path, cli: Cli) -> None:
    """The manifest says from then on that what is written is of today's format; all else in it stays, known or not."""
    run = runs / CONSTANT
    manifest = {**read_json(run / "manifest.json"), "of another version": {"kept": [1, 2.5]}}
    (run / "manifest.json").write_text(json.dumps(manifest))
    answers = (run / "pope@demo/responses.jsonl").read_bytes()
    outcome = go_on(cli, runs, 4)
    assert outcome.code == 0, outcome.err
    assert Path(outcome.json["run"]) == run
    assert [result["generated"] for result in outcome.json["results"]] == [0, 0, 0, 0]
    assert {result["task"]: numbers(result) for result in outcome.json["results"]} == close(stored(STORED / CONSTANT))
    assert stored(run) == close(stored(STORED / CONSTANT))
    assert "robust" not in read_json(run / "pope@demo/result.json")
    assert (run / "pope@demo/responses.jsonl").read_bytes() == answers
    assert read_json(run / "manifest.json") == {**manifest, "schema": 2}


def test_a_run_of_both_formats(runs: Path, cli: Cli, tmp_path: Path) -> None:
    """It grows as one that was begun today does."""
    grown = cli(*ASKED, "--tasks", "pope", "--limit", 12, "--output", runs, "--json").json
    pope = next(result for result in grown["results"] if result["task"] == "pope@demo")
    assert (pope["generated"], pope["timed"]) == (8, 12)
    fresh = cli(*ASKED, "--tasks", "pope", "--limit", 12, "--output", tmp_path / "fresh", "--json").json
    for mine, theirs in zip(grown["results"], fresh["results"], strict=True):
        assert {**numbers(mine), "judge": None} == {**numbers(theirs), "judge": None}
    assert cli("score", runs / CONSTANT, "--json").code in (0, 3)


def test_probabilities_of_both_formats(runs: Path, cli: Cli, tmp_path: Path) -> None:
    """The embedded model's answers: its path, in the run's identity, and the drawn pictures' bytes differ by machine."""
    asked = ["run", "--tasks", "pope", "--probabilities", "--check", 0, "--data", "demo", "--device", "cpu", "--json"]
    fresh = cli(*asked, "--limit", 8, "--output", tmp_path / "fresh").json
    new = Path(fresh["run"])
    today = read_json(new / "manifest.json")
    here = {name: today[name] for name in ("identity", "options", "weights")}
    (runs / TINY / "manifest.json").write_text(json.dumps({**read_json(runs / TINY / "manifest.json"), **here}))
    seen = {row["sample"]: row["images"] for row in read_jsonl(new / "pope@demo/responses.jsonl")}
    old = read_jsonl(runs / TINY / "pope@demo/responses.jsonl")
    write_jsonl(runs / TINY / "pope@demo/responses.jsonl", [{**row, "images": seen[row["sample"]]} for row in old])
    outcome = cli(*asked, "--limit", 8, "--output", runs).json
    assert Path(outcome["run"]) == runs / TINY
    (grown,), (whole,) = outcome["results"], fresh["results"]
    assert grown["generated"] == 4
    assert grown["metrics"] == whole["metrics"]
    assert grown["probabilities"]["n"] == whole["probabilities"]["n"] == 8
    assert grown["probabilities"]["auc"] == whole["probabilities"]["auc"]
    lines = read_jsonl(runs / TINY / "pope@demo/responses.jsonl")
    assert ["chances" in line for line in lines] == [True] * 4 + [False] * 4


def test_a_newer_format_is_refused(runs: Path, cli: Cli, tmp_path: Path) -> None:
    run = runs / CONSTANT
    (run / "manifest.json").write_text(json.dumps({**read_json(run / "manifest.json"), "schema": 3}))
    for command in (
        ["score", run],
        ["report", run],
        ["compare", runs / TINY, run],
        ["view", run, "-o", tmp_path / "v.html"],
        [*ASKED, "--limit", 4, "--output", runs],
    ):
        outcome = cli(*command)
        assert outcome.code == 2, command[0]
        assert outcome.err.splitlines()[-1] == f"error: {run} was written by a newer mipha-eval; update this one"
