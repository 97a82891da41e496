"""Whatever happened to a file of a run: one line that names it, or an honest result, never a traceback or silence."""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import shutil
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mipha_eval.cli.app import main
from tests.conftest import Outcome
from tests.damage import WHOLE, damaged_fields, verbs
from tests.judge_server import Say, judge_server

#: files of a run that verbs read; the two tasks are a judged one and one that shares pictures
FILES = [
    *("manifest.json", "status.json", "equivalence.json", "mmvet@demo/judges.json", "mmvet@demo/verdicts.jsonl"),
    *(
        f"{task}/{name}"
        for task in ("mmvet@demo", "pope@demo")
        for name in ("task.json", "samples.jsonl", "responses.jsonl", "scores.jsonl", "result.json")
    ),
]
TRIED_FIELDS, TRIED_VERBS = 16, 3  # of each file's, drawn with a fixed seed; `damaged_fields` lists some hundred a file
#: files of a run that two judges graded, where nothing was checked
GRADED = [*(name for name in FILES if name != "equivalence.json"), "mmvet@demo/result.other.json"]
#: damages of which each may meet a command that writes into the run
BEFORE_WRITING = ("deleted", "emptied", "halved", "object", "list", "null", "text")


def call(*arguments: object) -> Outcome:
    """Runs a command line in this process; a traceback becomes exit code 1."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv, code = ["mipha-eval", *map(str, arguments)], 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.argv = before
    return Outcome(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Damaged:
    """A run that a test may damage, another one of the same, and what verbs say of it while it is whole."""

    run: Path
    other: Path
    out: Path
    whole: dict[str, Outcome]

    @property
    def verbs(self) -> dict[str, list[object]]:
        return {name: list(command) for name, command in verbs(self.run, self.other, self.out).items()}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    tasks = ["run", "--tasks", "pope,mmvet", "-L", 6, "--data", "demo", "--check", 1, "--probabilities"]
    with judge_server(lambda prompt, before: Say("0.5")) as server:
        judge = ["--judge", "j", "--judge-base-url", server.url]
        for name in ("one", "other"):
            outcome = call(*tasks, *judge, "-o", folder / name)
            assert outcome.code == 0, outcome.err
    return next((folder / "one").iterdir()), next((folder / "other").iterdir())


@pytest.fixture
def damaged(pristine: tuple[Path, Path], tmp_path: Path) -> Damaged:
    run, other = pristine
    copy = Path(shutil.copytree(run, tmp_path / "runs" / run.name))
    commands = verbs(copy, other, tmp_path)
    return Damaged(copy, other, tmp_path, {name: call(*command) for name, command in commands.items()})


def settled(text: str) -> str:
    """Output without what differs from one call to the next."""
    return re.sub(r'"(seconds|written|made)": [^,\n]*', "", text)


def complaint(outcome: Outcome, whole: Outcome, file: Path) -> str:
    """What is wrong with how a verb took a damaged file; "" if nothing is."""
    folders = [
        str(folder) for folder in file.parents if folder.name.startswith(("runs", "mipha-tiny")) or "@" in folder.name
    ]
    told = file.name in outcome.out or any(name in outcome.err for name in (file.name, *folders))
    if outcome.code == 1 or "Traceback" in outcome.err:
        return f"a traceback: {outcome.err[-300:]}"
    if outcome.code == 2:
        errors = [line for line in outcome.err.splitlines() if not line.startswith("left out: ")]
        return "" if told and len(errors) == 1 else f"not one line that names the file: {outcome.err}"
    if outcome.code == whole.code and settled(outcome.out) == settled(whole.out):
        return ""
    return "" if told or outcome.code == 3 else f"silence with exit {outcome.code}: {outcome.out[:300]}"


def complaints(damaged: Damaged, file: Path, wanted: Collection[str] = ()) -> Iterator[str]:
    """What is wrong with how verbs took it; with all, unless some are wanted."""
    for verb, command in damaged.verbs.items():
        if wanted and verb not in wanted:
            continue
        found = complaint(call(*command), damaged.whole[verb], file)
        if found:
            yield f"{verb}: {found}"


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_longer_what_it_was(name: str, damaged: Damaged) -> None:
    file = damaged.run / name
    content = file.read_bytes()
    for what, change in WHOLE.items():
        changed = change(content)
        file.unlink() if changed is None else file.write_bytes(changed)
        assert not list(complaints(damaged, file)), what
        file.write_bytes(content)


@pytest.mark.parametrize("name", FILES)
def test_a_field_that_is_no_longer_what_it_was(name: str, damaged: Damaged) -> None:
    file = damaged.run / name
    content = file.read_bytes()
    cases = list(damaged_fields(content, lines=file.suffix == ".jsonl"))
    draw = random.Random(name)
    for what, changed in draw.sample(cases, min(TRIED_FIELDS, len(cases))):
        file.write_bytes(changed)
        some = draw.sample([*damaged.verbs], TRIED_VERBS)
        assert not [found for found in complaints(damaged, file, some) if "silence" not in found], what
        file.write_bytes(content)


@pytest.mark.parametrize("name", ["manifest.json", "equivalence.json", "pope@demo/responses.jsonl"])
@pytest.mark.parametrize("what", ["deleted", "emptied", "object", "text"])
def test_a_checked_run_goes_on_or_names_the_file(name: str, what: str, damaged: Damaged) -> None:
    file = damaged.run / name
    changed = WHOLE[what](file.read_bytes())
    file.unlink() if changed is None else file.write_bytes(changed)
    scores = json.loads((damaged.run / "pope@demo/result.json").read_text())["metrics"] if "result" not in name else None
    outcome = call(
        *["run", "--tasks", "pope,mmvet", "-L", 6, "--data", "demo", "--check", 0, "--probabilities", "--json"],
        *["-o", damaged.run.parent],
    )
    assert outcome.code in (0, 2, 3), outcome.err
    assert "Traceback" not in outcome.err
    if outcome.code == 2:
        assert file.name in outcome.err
    elif scores is not None:
        assert outcome.json["results"][0]["metrics"] == scores


@dataclass(frozen=True)
class Graded:
    """A run that one judge graded while it went on, and another one later."""

    run: Path
    grades: Path

    @classmethod
    def make(cls, folder: Path) -> Graded:
        outcome = call(*cls(folder, folder / "grades.json").asked, "--limit", 6, "-o", folder / "bare")
        (answers,) = (folder / "bare").glob("*/mmvet@demo/samples.jsonl")
        assert outcome.code == 0, outcome.err
        for judge in ("first", "other"):
            rows = [json.loads(line) for line in answers.read_text().splitlines()]
            grades = {row["id"]: {"model": [judge], "score": [0.5]} for row in rows}
            (folder / f"{judge}.json").write_text(json.dumps(grades))
        graded = cls(folder, folder / "other.json")
        outcome = call(*graded.asked, "--grades", folder / "first.json", "-o", folder / "runs")
        assert outcome.code == 0, outcome.err
        (run,) = (folder / "runs").iterdir()
        assert call("score", run, "--grades", graded.grades).code == 0
        return cls(run, graded.grades)

    @property
    def asked(self) -> list[object]:
        return ["run", "--tasks", "pope,mmvet", "-L", 6, "--model", "constant", "-a", "answer=yes", "--data", "demo"]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    return Graded.make(tmp_path_factory.mktemp("graded"))


@pytest.mark.parametrize("name", GRADED)
def test_commands_that_write_go_on_or_name_the_file(name: str, graded: Graded, tmp_path: Path) -> None:
    """The run's own command, which never asks a model for what is stored, and another judge's grades."""
    scores = {path.parent.name: json.loads(path.read_text())["metrics"] for path in graded.run.glob("*/result.json")}
    for number, what in enumerate(BEFORE_WRITING):
        for verb in ("run", "score"):
            copy = Path(shutil.copytree(graded.run, tmp_path / f"{number}{verb}" / graded.run.name))
            changed = WHOLE[what]((copy / name).read_bytes())
            (copy / name).unlink() if changed is None else (copy / name).write_bytes(changed)
            if verb == "run":
                outcome = call(*graded.asked, "--grades", graded.grades.with_name("first.json"), "-o", copy.parent, "--json")
            else:
                outcome = call("score", copy, "--grades", graded.grades, "--json")
            assert outcome.code in (0, 2, 3), (what, verb, outcome.err)
            assert "Traceback" not in outcome.err, (what, verb)
            if outcome.code == 2:
                assert len([line for line in outcome.err.splitlines() if line.startswith("error: ")]) == 1, (what, verb)
                assert Path(name).name in outcome.err, (what, verb, outcome.err)
            elif verb == "run":
                found = {result["task"]: result["metrics"] for result in outcome.json["results"]}
                assert found == scores, (what, outcome.err)
