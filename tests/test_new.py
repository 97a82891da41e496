"""What `mipha-eval new` writes runs at once: alone in an empty folder, under its own tests, installed."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from mipha_eval.authoring.new.example import SCENES, example_pictures, example_rows
from mipha_eval.authoring.new.model import model_draft
from mipha_eval.authoring.new.package import package_draft
from mipha_eval.authoring.new.task import known_kinds, rule_of, task_draft
from mipha_eval.cli.app import app
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.demo.scenes import COLOURS, SHAPES, Scene
from mipha_eval.scoring.stock.scorers import SCORERS, USUAL
from mipha_eval.scoring.stock.stock_task import QuestionKind
from tests.conftest import Cli, read_jsonl

ROOT = Path(__file__).parents[1]
SCORED = sorted(SCORERS)
LONG = "a-plugin-whose-name-is-as-long-as-may-be"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a task of every kind, models, and names of all sorts."""
    folder = tmp_path_factory.mktemp("every")
    for kind in SCORED:
        task_draft(f"quiz-{kind}", kind).write(folder)
    for name in ("question", "exact", "none", "path", "x.y_z", LONG):
        task_draft(name).write(folder)
    for name in ("parrot", "image", "true", f"b{LONG[1:]}"):
        model_draft(name).write(folder)
    return folder


def run_in(folder: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a Python module in a folder, with this checkout's mipha_eval."""
    path = os.pathsep.join([*filter(None, [environment.pop("PYTHONPATH", "")]), str(ROOT)])
    command = [sys.executable, "-m", *map(str, words)]
    known = {**os.environ, "PYTHONPATH": path, **environment}
    return subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, check=False)


def verbs() -> set[str | None]:
    return {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}


def words_of(command: str) -> list[str]:
    return command.split()[1:]


@pytest.mark.parametrize("kind", SCORED)
def test_a_task_runs_at_once(kind: str, cli: Cli, empty: Path) -> None:
    """Through the command line alone, with the commands that are printed."""
    written = cli("new", "task", "my-quiz", "--kind", kind, "--json").json
    assert sorted(str(path) for path in empty.rglob("*") if path.is_file()) == sorted(
        str(empty / path) for path in written["files"]
    )
    lines = (empty / "my_quiz.py").read_text().splitlines()
    assert len(lines) <= 40
    assert sum("#" in line for line in lines) >= 5
    assert len(read_jsonl(empty / "my_quiz/questions.jsonl")) == len(list((empty / "my_quiz/images").glob("*.png"))) == 5
    shown = cli(*words_of(written["next"]["look"]), "--json").json
    assert len(shown["questions"]) == 2
    run = words_of(written["next"]["run"])
    outcome = cli(*run, "--json")
    assert outcome.code == 0 or kind == "judge", outcome.err  # which nobody was there to be
    assert outcome.json["results"][0]["task"] == "my-quiz@v1"


@pytest.mark.parametrize("kind", ["yesno", "choice", "exact", "judge"])
def test_a_checked_task_has_no_fault(kind: str, cli: Cli, empty: Path) -> None:
    command = cli("new", "task", "my-quiz", "--kind", kind, "--json").json["next"]["check"]
    outcome = cli(*words_of(command))
    assert outcome.code == 0, outcome.out
    assert "0 faults" in outcome.out


def test_a_checked_model_has_no_fault(cli: Cli, empty: Path) -> None:
    command = cli("new", "model", "parrot", "--json").json["next"]["check"]
    assert cli(*words_of(command)).code == 0


def test_kinds_of_questions_are_names_of_their_scorers() -> None:
    usual = {str(kind): scorer for kind, scorer in USUAL.items() if scorer in SCORERS}
    assert set(known_kinds()) == {*usual, *SCORERS}
    for kind, scorer in usual.items():
        assert rule_of(kind) == rule_of(scorer)
        assert rule_of(kind).kind == kind


def test_the_example_is_one_that_the_demo_model_answers(cli: Cli, empty: Path) -> None:
    command = cli("new", "task", "my-quiz", "--json").json["next"]["run"]
    result = cli(*words_of(command), "--json").json["results"][0]
    assert (result["n"], result["metrics"]["accuracy"]) == (5, 100)


def test_a_model_runs_at_once(cli: Cli, empty: Path) -> None:
    written = cli("new", "model", "parrot", "--json").json
    assert sorted(written["files"]) == ["parrot.py", "test_parrot.py"]
    assert len((empty / "parrot.py").read_text().splitlines()) <= 42
    assert cli(*words_of(written["next"]["look"]), "--json").json["options"] == {"side": "int"}
    outcome = cli(*words_of(written["next"]["run"]), "-a", "side=16", "-L", 60, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["results"][0]["failed"] == 0


def test_their_own_tests_pass(every: Path) -> None:
    done = run_in(every, "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr


def test_their_own_tests_see_a_wrong_label_and_a_missing_picture(tmp_path: Path) -> None:
    task_draft("quiz").write(tmp_path)
    file = tmp_path / "quiz/questions.jsonl"
    good = file.read_text()
    file.write_text(good.replace('["red"]', '["red"], "more": 1').replace('"answer": ["star"]', '"answer": [""]'))
    assert run_in(tmp_path, "pytest", "-q", "-p", "no:cacheprovider").returncode != 0
    file.write_text(good)
    (tmp_path / "quiz/images/3.png").unlink()
    done = run_in(tmp_path, "pytest", "-q", "-p", "no:cacheprovider")
    assert "1 failed, 1 passed" in done.stdout


def test_they_are_formatted_linted_and_typed_as_this_repository_is(every: Path) -> None:
    settings = ("--config", ROOT / "pyproject.toml")
    done = run_in(every, "ruff", "format", "--check", *settings, ".")
    assert done.returncode == 0, done.stdout
    done = run_in(every, "ruff", "check", *settings, "--extend-per-file-ignores", "test_*.py:S101", "--no-cache", ".")
    assert done.returncode == 0, done.stdout
    files = sorted(every.glob("*.py"))
    typed = ("mypy", "--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / ".mypy_cache")
    done = run_in(ROOT, *typed, *files, MYPYPATH=str(every))
    assert done.returncode == 0, done.stdout


def test_examples_are_true() -> None:
    """Pictures have the colours of their scenes and no other; answers are found again by rules of this test's own."""
    assert all(scene.held_out for scene in SCENES)
    for scene, data in zip(SCENES, example_pictures().values(), strict=True):
        pixels = {pixel for _, pixel in Image.open(io.BytesIO(data)).convert("RGB").getcolors(10_000) or ()}
        seen = {name for name, colour in COLOURS.items() if colour in pixels}
        assert seen == {thing.colour for thing in scene.things}
    for scorer, kind in (
        ("yesno", "yesno"),
        ("choice", "choice"),
        ("exact", "short"),
        ("vqa", "short"),
        ("number", "short"),
    ):
        for scene, row in zip(SCENES, example_rows(scorer, cast("QuestionKind", kind)), strict=True):
            answer = row["answer"]
            said = answer[0] if isinstance(answer, list) else answer
            if kind == "choice":
                said = cast("list[str]", row["choices"])["ABCD".index(str(said))]
            assert said == true_answer(str(row["question"]), scene), row


def true_answer(question: str, scene: Scene) -> str:
    """The answer to one of the examples' questions, read off what was drawn."""
    words = question.rstrip("?").split()
    colour = next((word for word in words if word in COLOURS), "")
    shape = next((name for name in SHAPES for word in words if word in (name, f"{name}s")), "")
    things = [thing for thing in scene.things if colour in ("", thing.colour) and shape in ("", thing.shape)]
    if words[0] == "Is":
        return "yes" if things else "no"
    if words[0] == "How":
        return str(len(things))
    (only,) = things
    return only.colour if words[1] == "color" else only.shape


def test_what_is_there_is_left_alone(cli: Cli, empty: Path) -> None:
    """Also what stands where only a part would be written, and a link that leads nowhere."""
    for place in ("quiz.py", "test_quiz.py", "quiz"):
        path = empty / place
        path.symlink_to(empty / "nowhere")
        outcome = cli("new", "task", "quiz")
        assert outcome.code == 2
        assert outcome.err.count("\n") == 1
        assert f"{place} is there already" in outcome.err
        assert [entry.name for entry in empty.iterdir()] == [place]
        path.unlink()
    for what in ("task", "model", "package"):
        assert cli("new", what, f"my-{what}", "-o", "a folder/of mine").code == 0
        before = {path: path.read_bytes() for path in empty.rglob("*") if path.is_file()}
        assert cli("new", what, f"my-{what}", "-o", "a folder/of mine").code == 2
        assert before == {path: path.read_bytes() for path in empty.rglob("*") if path.is_file()}


def test_printed_paths_are_quoted(cli: Cli, empty: Path) -> None:
    out = cli("new", "task", "quiz", "-o", "a folder").out
    assert "--plugin 'a folder/quiz.py'" in out
    assert "pip install -e ./acme" in cli("new", "package", "acme").out


@pytest.mark.parametrize(
    ("what", "name", "said"),
    [
        ("task", "pope", "a task of that name is there already"),
        ("package", "pope", "a task of that name is there already"),
        ("model", "mipha-tiny", "a model of that name is there already"),
        ("task", "class", "Python has a module or a word class"),
        ("task", "json", "Python has a module or a word json"),
        ("model", "numpy", "Python has a module or a word numpy"),
        ("task", "mipha-eval", "Python has a module or a word mipha_eval"),
        ("task", "conftest", "Python has a module or a word conftest"),
        ("task", "3d", "cannot begin with a digit"),
        ("task", "My-Quiz", "a name has small letters"),
        ("task", "../quiz", "a name has small letters"),
        ("task", "quiz/quiz", "a name has small letters"),
        ("task", "quiz-", "a letter or digit first and last"),
        ("task", "q" * 41, "at most 40"),
        ("task", "", "a name has small letters"),
    ],
)
def test_names_that_cannot_be(what: str, name: str, said: str, cli: Cli, empty: Path) -> None:
    outcome = cli("new", what, name)
    assert outcome.code == 2
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
    assert not list(empty.iterdir())


def test_a_kind_that_is_none(cli: Cli, empty: Path) -> None:
    outcome = cli("new", "task", "quiz", "--kind", "shrt")
    assert outcome.code == 2
    assert "did you mean short?" in outcome.err
    assert "(--kind)" in outcome.err


def test_classes_hide_nothing(every: Path) -> None:
    """A file's class has a name that nothing else in it has, whatever the plugin is called."""
    for file in every.glob("[!t]*.py"):
        tree = ast.parse(file.read_text())
        (owner,) = (node.name for node in tree.body if isinstance(node, ast.ClassDef))
        others = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        assert owner not in others
        assert owner.isidentifier()
    assert Registry([every / "none.py"]).load("tasks", "none")[0].__name__ == "NoneBenchmark"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A package as it is written, and the folder that it is installed to."""
    folder, site = tmp_path_factory.mktemp("package"), tmp_path_factory.mktemp("site")
    package_draft("acme.quiz").write(folder)
    done = run_in(
        folder, "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", site, "./acme.quiz", PYTHONPATH=""
    )
    assert done.returncode == 0, done.stderr
    return folder / "acme.quiz", site


def installed(site: Path, folder: Path, *words: object) -> Any:
    done = run_in(folder, "mipha_eval", *words, "--json", PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_package_is_found_and_runs(package: tuple[Path, Path], tmp_path: Path) -> None:
    """With its questions and pictures, from a folder where nothing of it lies."""
    listing = installed(package[1], tmp_path, "list")
    assert listing["tasks"]["acme.quiz"] == listing["models"]["acme.quiz-model"] == "from acme.quiz"
    run = ("run", "--tasks", "acme.quiz", "--model", "acme.quiz-model")
    result = installed(package[1], tmp_path, *run)["results"][0]
    assert (result["n"], result["failed"]) == (5, 0)
    assert 0 < result["metrics"]["accuracy"] < 100


def test_a_packages_tests_pass(package: tuple[Path, Path]) -> None:
    done = run_in(package[0], "pytest", "-q", "-p", "no:cacheprovider", PYTHONPATH=str(package[1]))
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


def test_what_a_package_says_of_itself(package: tuple[Path, Path]) -> None:
    folder = package[0]
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["dependencies"][0].startswith("mipha-eval>=")
    assert list(project["entry-points"]["mipha_eval.tasks"]) == ["acme.quiz"]
    workflow = (folder / ".github/workflows/tests.yml").read_text()
    assert "pytest" in workflow
    assert "mipha-eval check task acme.quiz" in workflow
    for name in ("README.md", "LICENSE", ".gitignore", "src/acme_quiz/data/questions.jsonl"):
        assert (folder / name).is_file()
    done = run_in(folder, "ruff", "format", "--check", "--config", ROOT / "pyproject.toml", ".")
    assert done.returncode == 0, done.stdout
    lint = ("ruff", "check", "--config", ROOT / "pyproject.toml", "--no-cache", "--extend-per-file-ignores")
    done = run_in(folder, *lint, "test_*.py:S101", ".")
    assert done.returncode == 0, done.stdout


def test_next_commands_are_verbs(cli: Cli, empty: Path) -> None:
    """Of this command line, as far as they are not Python's."""
    for what in ("task", "model", "package"):
        for command in cli("new", what, f"my-{what}", "--json").json["next"].values():
            words = command.split()
            assert words[0] in ("python", "mipha-eval")
            assert words[0] == "python" or words[1] in verbs()
