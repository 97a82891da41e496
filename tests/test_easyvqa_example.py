"""The example of a package: real easy-VQA, installed with pip and run from end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli, write_jsonl

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/mipha-eval-easyvqa"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
SHAPES = {"circle", "rectangle", "triangle"}

Run = Callable[..., Any]
Rows = Sequence[tuple[str, str, int]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example and the package that it needs; skips the tests where that can be had from nowhere."""
    site = tmp_path_factory.mktemp("site")
    fetch = [*PIP, "--retries", "1", "--timeout", "20", "--only-binary", ":all:", "--target", str(site), "easy-vqa==1.0"]
    fetched = subprocess.run(fetch, capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip(f"easy-vqa cannot be downloaded: {fetched.stderr.strip().splitlines()[-1]}")
    subprocess.run([*PIP, "--no-build-isolation", "--target", str(site), str(EXAMPLE)], check=True)
    return site


@pytest.fixture
def rows(site: Path) -> list[tuple[str, str, int]]:
    """(question, answer, picture) of the official test split."""
    stored = json.loads((site / "easy_vqa/data/test/questions.json").read_text())
    return [(text, answer, picture) for text, answer, picture in stored]


@pytest.fixture
def run(site: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the benchmark in this process, and gives its result."""
    monkeypatch.syspath_prepend(site)

    def call(*arguments: object) -> Any:
        outcome = cli("run", "--tasks", "easyvqa", "-o", tmp_path, *arguments, "--json")
        assert outcome.code == 0, outcome.err
        (result,) = outcome.json["results"]
        return result

    return call


def environment(site: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}


def kind(answer: str) -> str:
    return "yesno" if answer in {"yes", "no"} else "shape" if answer in SHAPES else "color"


def test_it_is_there(site: Path) -> None:
    """In a process of its own, as a user has it."""
    command = [sys.executable, "-m", "mipha_eval", "list", "--json"]
    done = subprocess.run(command, env=environment(site), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["tasks"]["easyvqa"] == "from mipha-eval-easyvqa"


def test_a_model_its_controls_and_floors(run: Run, cli: Cli, tmp_path: Path) -> None:
    """All of it on a part of the questions, and in one table."""
    plain = run("--limit", 30)
    assert (plain["task"], plain["n"], plain["failed"]) == ("easyvqa@test", 30, 0)
    assert set(plain["metrics"]) == {"accuracy", "yesno", "shape", "color"}
    for others in (["--control", "blind"], ["--control", "no-question"], ["--model", "random"], ["--model", "majority"]):
        result = run("--limit", 30, *others)
        assert (result["n"], result["failed"]) == (30, 0)
    table = cli("report", *sorted(tmp_path.glob("mipha-tiny*")), "--floors").out
    for part in ("| mipha-tiny (blind) |", "| mipha-tiny (no-question) |", "| *Floors* |", "| majority |", "| random |"):
        assert part in table
    for part in ("LIMITED 30/9,673", "visual gain over blind", "question gain over no-question"):
        assert part in table


def test_the_best_constant_of_each_kind(run: Run, rows: Rows) -> None:
    """`majority` with the labels of a question's own picture, against counts made here."""
    counts = {name: Counter(answer for _, answer, _ in rows if kind(answer) == name) for name in ("yesno", "shape", "color")}
    best = {name: max(answers.values()) for name, answers in counts.items()}
    result = run("--model", "majority", "-a", "own=true")
    assert result["n"] == len(rows) == 9673
    assert result["metrics"]["accuracy"] == pytest.approx(100 * sum(best.values()) / len(rows))
    for name, answers in counts.items():
        assert result["metrics"][name] == pytest.approx(100 * best[name] / sum(answers.values()))


def test_the_best_constant_of_other_pictures(run: Run, rows: Rows) -> None:
    """`majority`: what the most of other pictures' questions of the kind have, found by taking each picture out."""
    votes = Counter((kind(answer), answer) for _, answer, _ in rows)
    own = Counter((picture, answer) for _, answer, picture in rows)
    right = 0
    for _, answer, picture in rows:
        name = kind(answer)
        left = {each: count - own[picture, each] for (of, each), count in votes.items() if of == name}
        most = max(left.values())
        assert sum(count == most for count in left.values()) == 1, "no two answers are equally frequent"
        right += left[answer] == most
    assert run("--model", "majority")["metrics"]["accuracy"] == pytest.approx(100 * right / len(rows))


def test_drawn_answers_by_expectation(run: Run, rows: Rows) -> None:
    sizes = {"yesno": 2, "shape": 3, "color": 8}
    expected = 100 * sum(1 / sizes[kind(answer)] for _, answer, _ in rows) / len(rows)
    assert run("--model", "random")["expectation"]["accuracy"] == pytest.approx(expected)


@pytest.mark.parametrize(("right", "accuracy"), [(True, 100), (False, 0)])
def test_the_labels_get_everything(right: bool, accuracy: int, run: Run, rows: Rows, cli: Cli, tmp_path: Path) -> None:
    """And what is the label of no question of its kind gets nothing."""
    texts = [answer if right else "no" if answer == "yes" else "yes" for _, answer, _ in rows]
    answers = [
        {"question_id": str(number), "prompt": question, "text": text}
        for number, ((question, _, _), text) in enumerate(zip(rows, texts, strict=True))
    ]
    scored = cli("score", "easyvqa", "--answers", write_jsonl(tmp_path / "answers.jsonl", answers), "--json").json
    assert (scored["n"], scored["metrics"]["accuracy"], scored["failed"], scored["unparsed"]) == (9673, accuracy, 0, 0)


def test_its_own_tests(site: Path, tmp_path: Path) -> None:
    """As its README says to run them."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(EXAMPLE)]
    done = subprocess.run(command, env=environment(site), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
