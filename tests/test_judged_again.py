"""A judged run that is done again by its manifest: the judge is asked for as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Cli, read_json
from tests.judge_server import Say, Serve

RUN = ("run", "--tasks", "mmvet", "--model", "constant", "--data", "demo", "--json")


def asked_for(run: str) -> dict[str, object]:
    """How a run's judge was asked for."""
    return read_json(Path(run, "manifest.json"))["config"]["judging"]  # type: ignore[no-any-return]


def test_a_judge_is_asked_for_as_it_was(cli: Cli, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    server = serve(lambda prompt, before: Say("0.5"))
    judge = ["--judge", "m", "--judge-base-url", server.url, "--judge-runs", 2, "--judge-tries", 2, "--judge-timeout", 30.5]
    spent = ["--judge-budget", "40calls, 2e16 tokens, 0.00001234usd", "--judge-price", "0.0000001,2e-7"]
    first = cli(*RUN, "--limit", 2, *judge, *spent)
    asked = len(server.requests)
    assert (first.code, asked) == (0, 4)
    again = cli("run", first.json["run"], "--json")
    assert (again.code, len(server.requests)) == (0, asked), "what is graded is not graded again"
    fresh = cli("run", f"{first.json['run']}/manifest.json", "--fresh", "--json")
    assert (fresh.code, len(server.requests)) == (0, 2 * asked)
    budget = "40.0calls,20000000000000000tokens,0.00001234usd"
    assert asked_for(first.json["run"])["judge_budget"] == budget
    assert asked_for(fresh.json["run"]) == asked_for(first.json["run"])
    assert fresh.json["results"][0]["metrics"] == first.json["results"][0]["metrics"]


def test_a_budget_holds_again_for_each_command(
    cli: Cli, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server = serve(lambda prompt, before: Say("0.5"))
    run = cli(*RUN, "--limit", 3, "--judge", "m", "--judge-base-url", server.url, "--judge-budget", "1call")
    assert (run.code, len(server.requests)) == (3, 1)
    assert cli("run", run.json["run"]).code == 3
    assert len(server.requests) == 2
    assert cli("run", run.json["run"], "--judge-budget", "9calls").code == 0
    assert len(server.requests) == 3


def test_recorded_grades_are_replayed_again(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bare = cli(*RUN, "--limit", 2)
    names = [json.loads(line)["id"] for line in Path(bare.json["run"], "mmvet@demo/samples.jsonl").read_text().splitlines()]
    Path("grades.json").write_text(json.dumps({name: {"score": [0.5], "model": ["me"]} for name in names}))
    graded = cli(*RUN, "--limit", 2, "--grades", "grades.json", "--fresh")
    fresh = cli("run", graded.json["run"], "--fresh", "--json")
    assert (graded.code, fresh.code) == (0, 0)
    assert fresh.json["run"] != graded.json["run"]
    assert fresh.json["results"][0]["metrics"] == graded.json["results"][0]["metrics"]
