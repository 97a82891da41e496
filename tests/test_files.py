"""Files that are no files, and files that go away: one line that names them, in finite time, never a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import MOST_DIGITS, open_text, parse_json, read_json, read_toml
from mipha_eval.store.run_folder import RunFolder
from tests.conftest import Cli, read_jsonl, write_jsonl

REGULAR = "no regular file"

PLUGIN = '''
"""A benchmark, and a model that removes its folder."""

import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.reading import Reading
from mipha_eval.core.metrics import share
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample


@dataclass(frozen=True)
class Quiz(Task):
    name: ClassVar = "quiz"
    protocols: ClassVar = {"v1": "a question"}
    metrics: ClassVar = [share("accuracy")]
    endless: bool = False

    def samples(self):
        for number in itertools.count() if self.endless else range(4):
            yield Sample(str(number), "what?", ("a",), (), number)

    def score(self, sample, response):
        return self.scored(sample, Reading(response.text, "x"), 1)


@dataclass(frozen=True, kw_only=True)
class Broom(ModelAdapter):
    name: ClassVar = "broom"
    removes: str

    def generate(self, batch):
        for folder in Path(self.removes).glob("*/quiz@v1"):
            shutil.rmtree(folder)
        return [Response("a") for _ in batch]
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    file = tmp_path / "quiz_plugin.py"
    file.write_text(PLUGIN)
    return file


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_pipes_and_devices_are_not_read(pipe: Path, tmp_path: Path, cli: Cli) -> None:
    for file in (pipe, Path("/dev/zero"), Path("/dev/full"), Path("/dev/null")):
        outcome = cli("score", "pope", "--data", "demo", "--answers", file)
        assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
        assert REGULAR in outcome.err
        assert str(file) in outcome.err
    questions = write_jsonl(tmp_path / "q.jsonl", [{"question_id": 1, "image": "pipe", "text": "What?"}])
    predict = ["predict", "--image-folder", tmp_path, "--max-new-tokens", 2]
    assert cli(*predict, "--questions", questions, "--answers", tmp_path / "a.jsonl").code == 3
    assert REGULAR in read_jsonl(tmp_path / "a.jsonl")[0]["error"]
    assert REGULAR in cli(*predict, "--questions", pipe, "--answers", tmp_path / "b.jsonl").err
    assert cli(*predict, "--questions", questions, "--answers", "/dev/full").code == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("9" * 400, "400 digits"),
        ("-" + "9" * (MOST_DIGITS + 1), "digits"),
        ("1e999", "too large"),
        ("{", "Expecting"),
        ("", "Expecting"),
    ],
)
def test_json_beyond_measure(text: str, words: str, tmp_path: Path, cli: Cli) -> None:
    with pytest.raises(ValueError, match=words):
        parse_json(text)
    file = tmp_path / "answers.jsonl"
    file.write_text(f'{{"question_id": {text}, "text": "yes"}}\n' if text else "{\n")
    outcome = cli("score", "pope", "--data", "demo", "--answers", file)
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert "answers.jsonl" in outcome.err


def test_numbers_that_are_fine_stay_as_they_are() -> None:
    values = [0, -1, 17.0, 1e300, 2**200, 0.1, [], {"a": None, "b": "ü"}]
    assert parse_json(json.dumps(values)) == values


def test_toml_beyond_measure(tmp_path: Path) -> None:
    for content in ("x=" + "[" * 3000, "x=" + "9" * 5000, "x", "\xff"):
        file = tmp_path / "table.toml"
        file.write_bytes(content.encode("latin-1"))
        with pytest.raises(UserError, match=r"table\.toml"):
            read_toml(file)


def test_encodings_are_read_or_named(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le"):
        file.write_bytes('{"a": "猫"}'.encode(encoding))
        assert read_json(file) == {"a": "猫"}
    file.write_bytes(b'{"a":\n"\xb0\xa1"}')
    with pytest.raises(UserError, match=r"a\.json:2 is not UTF-8"):
        read_json(file)
    with open_text(file, escapes=True) as lines:
        assert "\udcb0" in lines.read()


def test_questions_without_end(plugin: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("mipha_eval.data.questions.MOST_QUESTIONS", 1000)
    run = ["run", "--tasks", "quiz", "--plugin", plugin, "--data", tmp_path, "--model", "constant", "-o", tmp_path / "runs"]
    outcome = cli(*run, "-a", "quiz.endless=true")
    assert outcome.code == 2
    assert "more than 1,000 questions" in outcome.err
    assert str(plugin) in outcome.err


def test_a_folder_that_is_removed_while_the_run_goes_on(plugin: Path, cli: Cli, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    outcome = cli(
        *("run", "--tasks", "quiz", "--plugin", plugin, "--data", tmp_path, "--model", "broom", "-a", f"removes={runs}"),
        *("-o", runs),
    )
    assert outcome.code == 2
    assert "removed" in outcome.err
    assert "quiz@v1" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_finished_task_without_its_result_is_named(cli: Cli, tmp_path: Path) -> None:
    run = cli("run", "--tasks", "pope", "-L", 6, "--model", "constant", "--data", "demo", "-o", tmp_path, "--json").json[
        "run"
    ]
    (Path(run) / "pope@demo/result.json").unlink()
    with pytest.raises(UserError, match=r"result\.json is missing"):
        RunFolder(Path(run)).results_of("pope@demo")
