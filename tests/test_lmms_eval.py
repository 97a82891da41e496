"""lmms-eval both ways, in its own environment: its numbers through our engine, our answers through its."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli
from tests.judge_server import Say, Serve
from tests.lmms_environment import called, lmms_results
from tests.lmms_files import ROWS, SETS, local

TINY = Path(__file__).parents[1] / "mipha_eval" / "demo" / "tiny"
RANKED, RANKS = "local_ranked", "local_ranks"


@pytest.fixture(scope="session")
def checkpoint(lmms_eval: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small LLaVA that answers yes or no."""
    from bench.cost_model import Fit, Size, build_checkpoint

    folder = tmp_path_factory.mktemp("checkpoint")
    size = Size(vision_width=64, vision_layers=2, text_width=64, text_layers=2, image=64, patch=16, vocabulary=2_000)
    build_checkpoint(folder, size=size, fit=Fit(pictures=4, each=8))
    return folder


@pytest.fixture(scope="session", params=["hf-chat", "mipha"])
def model(request: pytest.FixtureRequest, checkpoint: Path) -> tuple[str, Path]:
    """An adapter and a checkpoint of it."""
    return request.param, checkpoint if request.param == "hf-chat" else TINY


def numbers(results: Mapping[str, Any]) -> dict[str, float]:
    """lmms-eval's numbers of a task by metric; not what it says beside them."""
    return {
        name.partition(",")[0]: value
        for name, value in results.items()
        if isinstance(value, int | float) and "," in name and "_stderr" not in name
    }


def check_equal(own: Mapping[str, Any], theirs: Mapping[str, Any], name: str) -> None:
    """Each of lmms-eval's numbers is ours, to the last digit, and we have no other."""
    expected = numbers(theirs)
    assert expected, f"{name}: lmms-eval has no number"
    assert own["metrics"] == expected, name


@pytest.fixture(scope="session")
def ran(model: tuple[str, Path], lmms_eval: Path, local_sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run of all tasks through our engine."""
    folder, (adapter, path) = tmp_path_factory.mktemp("ours"), model
    tasks = ",".join(f"lmms:{local(name)}" for name in SETS)
    asked = ["--model", adapter, "-a", f"path={path}", "--device", "cpu", "--dtype", "float32", "--json"]
    told = called(
        lmms_eval,
        folder,
        "mipha_eval",
        "run",
        "--tasks",
        f"{tasks},lmms:{RANKS}",
        "--lmms-include",
        local_sets,
        "-o",
        folder / "runs",
        *asked,
    )
    return json.loads(told)


@pytest.fixture(scope="session")
def theirs(model: tuple[str, Path], lmms_eval: Path, local_sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """lmms-eval's own run of the same model."""
    folder, (adapter, path) = tmp_path_factory.mktemp("theirs"), model
    tasks = ",".join([*map(local, SETS), RANKED])
    named = ["--model", "mipha_eval", "--model_args", f"adapter={adapter},path={path},dtype=float32"]
    if adapter == "mipha":
        named = ["--model", "mipha", "--model_args", f"pretrained={path},dtype=float32"]
    where = ["--include_path", local_sets, "--output_path", "out", "--log_samples", "--force_simple", "--device", "cpu"]
    called(lmms_eval, folder, "lmms_eval", "eval", *named, "--tasks", tasks, *where)
    return lmms_results(folder / "out")


def test_the_same_model_has_the_same_numbers(ran: Any, theirs: Any) -> None:
    found = {result["task"].partition("@")[0]: result for result in ran["results"]}
    assert set(found) == {*map(local, SETS), RANKED}
    for name, own in found.items():
        assert own["task"] == f"{name}@lmms-eval-0.7.3"
        assert (own["failed"], own["missing"], own["unlabelled"]) == (0, 0, 0)
        check_equal(own, theirs[name], name)
    (group,) = ran["groups"]
    assert group["group"] == f"{RANKS}@lmms-eval-0.7.3"
    assert group["metrics"] == numbers(theirs[RANKED])


@pytest.fixture(scope="session")
def scripted(lmms_eval: Path, local_sets: Path) -> Any:
    told = called(lmms_eval, local_sets, "tests.lmms_scripted", local_sets)
    return json.loads(told.splitlines()[-1])


@pytest.mark.parametrize("name", SETS)
def test_ugly_answers_have_the_same_numbers(name: str, scripted: Any) -> None:
    own = scripted["ours"][local(name)]
    check_equal(own, scripted["theirs"][local(name)], name)
    value = own["metrics"][own["headline"]]
    assert 0 < value < {"mme": 2800, "mmbench_en_dev_static": 100}.get(name, 1), "all right or all wrong proves little"
    low, high = own["intervals"][own["headline"]]
    assert low < value < high


def test_a_mean_has_the_interval_of_a_share(scripted: Any) -> None:
    own = scripted["ours"][local("pope")]
    assert own["units"]["pope_accuracy"] == "of 1", "its own code takes the mean of single answers"
    low, high = own["intervals"]["pope_accuracy"]
    assert 0 <= low < high <= 1


def test_a_judge_that_is_named_here_is_asked(lmms_eval: Path, local_sets: Path, serve: Serve, tmp_path: Path) -> None:
    """By lmms-eval's own code, with the key, the model and the address that were given; it says so, and the result does."""
    grades = [number % 11 / 10 for number in range(ROWS)]
    server = serve(lambda prompt, before: Say(str(grades[int(re.findall(r"equation (\d+)", prompt)[-1])])))
    asked = ["--model", "mipha", "-a", f"path={TINY}", "--device", "cpu", "--dtype", "float32", "--json"]
    judge = ["--judge", "grader-1", "--judge-base-url", server.url]
    named = ["--tasks", "lmms:local_mmvet", "--lmms-include", local_sets, "-o", tmp_path / "runs", *asked, *judge]
    verb = ["run", "--log-file", tmp_path / "log.txt"]
    told = json.loads(called(lmms_eval, tmp_path, "mipha_eval", *verb, *named, MIPHA_EVAL_JUDGE_KEY="secret"))
    (result,) = told["results"]
    assert result["metrics"] == {"gpt_eval_score": sum(grades) / ROWS * 100}
    assert len(server.requests) == ROWS
    assert {request["model"] for request in server.requests} == {"grader-1"}
    assert {request["authorization"] for request in server.requests} == {"Bearer secret"}
    assert result["lmms_eval"]["judge"]["MODEL_VERSION"] == "grader-1"
    assert "secret" not in json.dumps(told)
    assert "secret" not in "".join(file.read_text() for file in (tmp_path / "runs").rglob("*.json"))
    log = (tmp_path / "log.txt").read_text()
    assert "asks a judge over the network" in log
    assert server.url in log
    assert "secret" not in log


def test_a_run_is_scored_again_and_reported(ran: Any, lmms_eval: Path, local_sets: Path, tmp_path: Path) -> None:
    """With lmms-eval's own code again; reports of it need that no more."""
    again = json.loads(called(lmms_eval, local_sets, "mipha_eval", "score", ran["run"], "--json"))
    plain = {result["task"]: result["metrics"] for result in again}
    assert plain == {result["task"]: result["metrics"] for result in ran["results"]}


def differences(runs: list[str], task: str, worth: Callable[[Mapping[str, Any]], float]) -> dict[str, float]:
    """By picture, what the second run's stored scores are above the first's."""
    first, second = (
        {score["sample"]: score for score in map(json.loads, (Path(run) / task / "scores.jsonl").read_text().splitlines())}
        for run in runs
    )
    assert first.keys() == second.keys()
    found: dict[str, float] = defaultdict(float)
    for name, score in first.items():
        found[score["cluster"]] += worth(second[name]) - worth(score)
    return found


def error_of_a_mean(sums: Mapping[str, float]) -> float:
    """Clustered, of as many answers a picture."""
    middle = sum(sums.values()) / len(sums)
    return math.sqrt(len(sums) / (len(sums) - 1) * sum((each - middle) ** 2 for each in sums.values())) / ROWS


def test_two_runs_are_compared_without_lmms_eval(scripted: Any, cli: Cli) -> None:
    """Differences, errors and p-values by brute force from the stored scores, of a mean and of another number."""
    runs = scripted["runs"]
    told = cli("compare", *runs, "--json")
    assert told.code == 0, told.err
    pope, mme = (f"{local(name)}@lmms-eval-0.7.3" for name in ("pope", "mme"))
    pairs = {pair["task"]: pair["differences"] for pair in json.loads(told.out)["pairs"]}
    (own,) = pairs[pope]
    sums = differences(runs, pope, lambda score: float(score["details"]["pope_accuracy"]))
    whole = sum(sums.values())
    ways = list(itertools.product((1, -1), repeat=len(sums)))
    moved = [abs(sum(way * each for way, each in zip(signs, sums.values(), strict=True))) for signs in ways]
    assert whole
    assert own["difference"] == pytest.approx(whole / ROWS)
    assert own["standard_error"] == pytest.approx(error_of_a_mean(sums), rel=1e-6)
    assert own["p"] == pytest.approx(sum(each >= abs(whole) - 1e-9 for each in moved) / len(ways))

    (own,) = pairs[mme]
    name = own["metric"]
    values = [json.loads((Path(run) / mme / "result.json").read_text())["metrics"][name] for run in runs]
    assert values[0] != values[1]
    assert own["difference"] == values[1] - values[0]
    assert any("move" in score["details"].get(name, {}) for score in stored_scores(runs[0], mme))
    moves = differences(runs, mme, lambda score: score["details"].get(name, {}).get("move", 0.0))
    asked = sum(name in score["details"] for score in stored_scores(runs[0], mme))
    assert own["standard_error"] == pytest.approx(error_of_a_mean(moves) * ROWS / asked, rel=1e-6)


def stored_scores(run: str, task: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(run) / task / "scores.jsonl").read_text().splitlines()]


def test_two_runs_are_reported_and_viewed_without_lmms_eval(scripted: Any, cli: Cli, tmp_path: Path) -> None:
    runs = scripted["runs"]
    values = [
        json.loads((Path(run) / f"{local('pope')}@lmms-eval-0.7.3" / "result.json").read_text())["metrics"] for run in runs
    ]
    told = cli("report", *runs)
    assert told.code == 0, told.err
    page = tmp_path / "page.html"
    shown = cli("view", *runs, "-o", page)
    assert shown.code == 0, shown.err
    written = page.read_text(encoding="utf-8")
    for number, each in enumerate(values, start=1):
        assert f"| guess-{number} |" in told.out
        assert f"{each['pope_accuracy']:.4f}" in told.out
        assert f"guess-{number}" in written
    assert "Is there a" in written


def test_groups_have_lmms_evals_own_numbers(scripted: Any) -> None:
    """Weighted by size and not, one within the other, to the last digit; a task without the metric is left out."""
    theirs, ours = scripted["their groups"], {group["group"].partition("@")[0]: group for group in scripted["our groups"]}
    assert ours.keys() == {"local_outer", "local_inner", "local_plain"}
    for name in ("local_outer", "local_inner"):
        expected = {key: value for key, value in theirs[name].items() if isinstance(value, float)}
        assert len(expected) == 2
        assert ours[name]["metrics"] == expected
    tasks = [theirs[local(name)]["exact_match,none"] for name in ("gqa", "scienceqa_img", "realworldqa")]
    assert ours["local_outer"]["metrics"]["exact_match,none"] != sum(tasks) / 3, "weights that change nothing prove little"
    assert "weighted" in ours["local_outer"]["how"]["exact_match,none"]
    assert "alike" in ours["local_inner"]["how"]["exact_match,none"]
    assert not ours["local_plain"]["metrics"]
    assert "no number" in ours["local_plain"]["why_not"]
