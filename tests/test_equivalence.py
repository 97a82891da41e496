"""Some answers of every run that shares work are made again alone, and what differs is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.types import Request, Response
from mipha_eval.engine.self_check import CheckedAnswer, checks_a_task, compare
from tests.conftest import Cli, Outcome, read_json, read_jsonl, write_jsonl

PLUGIN = Path(__file__).with_name("sharing_adapter.py")


def run(cli: Cli, folder: Path, *more: object, tasks: str = "pope") -> Outcome:
    model = ["--plugin", PLUGIN, "--model", "sharing", "-a", f"log={folder / 'log'}"]
    return cli("run", "--tasks", tasks, "--data", "demo", "-o", folder / "runs", "--json", *model, *more)


def alone(folder: Path) -> list[str]:
    """Keys of the requests that were asked alone."""
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    return [key for way, _, keys in lines if way == "alone" for key in keys]


def checks(folder: Path) -> Any:
    (path,) = (folder / "runs").glob("*/equivalence.json")
    return read_json(path)


def test_equal_answers_are_recorded(cli: Cli, tmp_path: Path) -> None:
    result = run(cli, tmp_path).json["results"][0]
    assert result["equivalence"] == {"checked": 3, "identical": 3, "exact": True}
    found = checks(tmp_path)
    expected = {"checked": 3, "identical": 3, "share_identical": 1.0, "largest_difference": 0.0, "failed": 0}
    assert found["totals"] == expected
    assert [(row["task"], row["shared"], row["reference"], row["identical"]) for row in found["samples"]] == [
        ("pope@demo", "Yes", "Yes", True)
    ] * 3
    assert len(alone(tmp_path)) == 3


def test_a_difference_in_float32_is_loud(cli: Cli, tmp_path: Path) -> None:
    outcome = run(cli, tmp_path, "-a", "wrong=10")
    assert "pope@demo: SHARED != ALONE: 3 of 3 answers differ" in outcome.err
    result = outcome.json["results"][0]
    assert result["equivalence"] == {"checked": 3, "identical": 0, "exact": True}
    assert checks(tmp_path)["totals"]["largest_difference"] == 0.125
    path = outcome.json["run"]
    assert "SHARED != ALONE 3/3" in (Path(path) / "report.md").read_text()
    assert "SHARED != ALONE 3/3" in cli("score", path, "--plugin", PLUGIN).out, "the mark stays when scored again"


def test_a_difference_in_half_precision_is_recorded_only(cli: Cli, tmp_path: Path) -> None:
    outcome = run(cli, tmp_path, "-a", "wrong=10", "-a", "dtype=torch.float16")
    assert "SHARED" not in outcome.err
    assert outcome.json["results"][0]["equivalence"] == {"checked": 3, "identical": 0, "exact": False}
    page = (Path(outcome.json["run"]) / "report.md").read_text()
    assert "SHARED" not in page
    assert "0 of 3 answers" in page


def test_how_many_are_checked(cli: Cli, tmp_path: Path) -> None:
    assert [checks_a_task(None, tasks, 1000) for tasks in (0, 1, 2, 3, 4, 8, 12)] == [3, 3, 3, 2, 2, 1, 1]
    assert [checks_a_task(None, 1, answers) for answers in (1, 180, 299, 300, 10_000)] == [1, 1, 2, 3, 3]
    run(cli, tmp_path, "--check", 0)
    assert not alone(tmp_path)
    assert not list((tmp_path / "runs").glob("*/equivalence.json"))
    run(cli, tmp_path, "--check", 7, "--fresh")
    assert len(alone(tmp_path)) == 7


def test_a_run_that_goes_on_keeps_earlier_checks(cli: Cli, tmp_path: Path) -> None:
    run(cli, tmp_path, "--limit", 20, "--check", 3)
    first = checks(tmp_path)["samples"]
    run(cli, tmp_path, tasks="pope,mme")
    both = checks(tmp_path)
    assert both["samples"][:3] == first
    assert both["totals"]["checked"] == len(both["samples"]) == 9
    again = run(cli, tmp_path, tasks="pope,mme").json["results"]
    assert checks(tmp_path) == both, "nothing new, nothing to check"
    assert [result["equivalence"]["checked"] for result in again] == [6, 3]


def test_ranked_answers_are_compared_by_likelihood(cli: Cli, tmp_path: Path) -> None:
    run(cli, tmp_path, "--check", 3, tasks="seed@demo-ppl")
    assert [row["likelihood_difference"] for row in checks(tmp_path)["samples"]] == [0.25] * 3


@pytest.mark.parametrize(("dtype", "identical"), [("torch.float32", 0), ("torch.bfloat16", 3)])
def test_likelihoods_that_differ_are_loud_in_float32(dtype: str, identical: int, cli: Cli, tmp_path: Path) -> None:
    """Also where the likeliest option is the same."""
    outcome = run(cli, tmp_path, "--check", 3, "-a", f"dtype={dtype}", tasks="seed@demo-ppl")
    assert outcome.json["results"][0]["equivalence"]["identical"] == identical
    assert ("SHARED != ALONE: 3 of 3 answers differ" in outcome.err) == (identical == 0)


def test_models_that_share_nothing_are_not_checked(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("run", "--tasks", "mme", "--data", "demo", "--model", "constant", "-o", tmp_path, "--json")
    assert "equivalence" not in outcome.json["results"][0]
    assert not list(tmp_path.glob("*/equivalence.json"))


def test_logits_are_not_stored_where_there_are_none(cli: Cli, tmp_path: Path) -> None:
    run(cli, tmp_path)
    (path,) = (tmp_path / "runs").glob("*/pope@demo/responses.jsonl")
    assert json.loads(path.read_text().splitlines()[0])["top"] == [[5, 1.5], [7, 1.0]]
    cli("run", "--tasks", "mme", "--data", "demo", "--model", "constant", "-o", tmp_path / "other")
    (path,) = (tmp_path / "other").glob("*/mme@demo/responses.jsonl")
    assert "top" not in json.loads(path.read_text().splitlines()[0])


def test_what_cannot_be_made_alone_is_no_agreement() -> None:
    found = compare("x@y", CheckedAnswer("1", Request("?"), Response("Yes")), Response.failure("full"))
    assert (found.identical, found.error) == (False, "full")
    given = CheckedAnswer("1", Request("?"), Response("a", top=((1, 2.0), (2, 1.0))))
    assert compare("x@y", given, Response("a", top=((2, 0.5), (3, 9.0)))).logit_difference == 0.5
    apart = compare("x@y", given, Response("a", top=((3, 9.0),)))
    assert (apart.identical, apart.note) == (False, "no token is among the likeliest of both")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"samples": [{}]}', '{"samples": 3}'])
def test_a_damaged_file_is_named(text: str, cli: Cli, tmp_path: Path) -> None:
    path = Path(run(cli, tmp_path, "--limit", 4).json["run"])
    (path / "equivalence.json").write_text(text)
    outcome = run(cli, tmp_path, "--limit", 4)
    assert outcome.code == 2
    assert "equivalence.json" in outcome.err


@pytest.mark.parametrize("top", ["x", [[1]], [[1, "a"]], [3], {"1": 2.0}])
def test_damaged_logits_are_asked_again(top: object, cli: Cli, tmp_path: Path) -> None:
    path = Path(run(cli, tmp_path, "--limit", 4).json["run"]) / "pope@demo/responses.jsonl"
    rows = read_jsonl(path)
    rows[0]["top"] = top
    write_jsonl(path, rows)
    assert run(cli, tmp_path, "--limit", 4).json["results"][0]["generated"] == 1


@pytest.mark.parametrize("verb", ["run", "predict"])
def test_no_share_is_for_models_that_share(verb: str, cli: Cli, tmp_path: Path) -> None:
    files = {"run": ["--tasks", "mme"], "predict": ["--questions", __file__, "--image-folder", ".", "--answers", "a"]}[verb]
    outcome = cli(verb, *files, "--model", "constant", "--no-share")
    assert outcome.code == 2
    assert "answering without sharing does not apply to model constant (--no-share)" in outcome.err


def test_no_share_is_another_run(cli: Cli, tmp_path: Path) -> None:
    first, second = run(cli, tmp_path).json["run"], run(cli, tmp_path, "--no-share").json["run"]
    assert first != second
    assert read_json(Path(second) / "manifest.json")["options"]["share"] == "False"
