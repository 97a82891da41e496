"""A run that is done is read: nothing is scored again and no model is loaded, unless something of it is another now."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mipha_eval import Run, evaluate
from mipha_eval.core.plugins.registry import PACKAGE
from mipha_eval.runs import evaluate as evaluating
from mipha_eval.runs import task_run
from mipha_eval.scoring import installation
from tests.conftest import read_json, read_jsonl, write_jsonl

TINY = PACKAGE / "demo" / "tiny"
OLD = 1_700_000_000
ROWS = [{"id": str(n), "question": f"Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(12)]
PLUGIN = '''
from mipha_eval import Metric, Reading, Sample, Task, share

class Kept(Task):
    name = "kept"
    protocols = {"v1": "a plugin's"}
    metrics = (Metric("accuracy", share("right", "asked")),)
    own_data = True

    def samples(self):
        for number in range(4):
            yield Sample(str(number), "What?", ("yes",), (), number)

    def score(self, sample, response):
        return self.scored(sample, Reading(response.text, "as-is"), response.text == "yes")
'''


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Labels of the tasks that were scored since the list was cleared."""
    found: list[str] = []
    real = task_run.score_responses

    def noted(task: Any, *arguments: Any) -> Any:
        found.append(task.label)
        return real(task, *arguments)

    monkeypatch.setattr(task_run, "score_responses", noted)
    return found


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of questions that the constant model answers half of."""
    write_jsonl(tmp_path / "odd.jsonl", ROWS)
    return tmp_path / "odd.jsonl"


def run(tasks: str | Path, output: Path, **options: Any) -> Run:
    named = options.pop("model", "constant")
    return evaluate(named, str(tasks), output=output, progress=False, **options)


def told(found: Run) -> list[dict[str, Any]]:
    """All that a run's results say, but for how many answers its last command made."""
    return [{**read_json(found.path / each.task / "result.json"), "generated": None} for each in found]


def test_what_is_done_is_not_scored_again(scored: list[str], tmp_path: Path) -> None:
    """Results, their scores, seconds and certificates among them, are what they were, however often it is asked for."""
    options = {"data": "demo", "limit": 20}
    first = run("mme,vqav2,pope", tmp_path, **options)
    assert len(scored) == 3
    answers = [each.answers.scores for each in first]
    for _ in range(2):
        again = run("mme,vqav2,pope", tmp_path, **options)
        assert (told(again), [each.answers.scores for each in again]) == (told(first), answers)
        assert all(each.summary.seconds == one.summary.seconds for each, one in zip(again, first, strict=True))
    assert len(scored) == 3
    run("pope,seed", tmp_path, **options)
    assert scored[3:] == ["seed@demo"], "a task that is added is scored alone"
    grown = run("pope", tmp_path, data="demo", limit=40)
    assert (scored[4:], grown["pope"].summary.n) == (["pope@demo"], 40)


def _responses(place: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    rows = read_jsonl(place / "responses.jsonl")
    change(rows)
    write_jsonl(place / "responses.jsonl", rows)


def _edited(name: str, old: str, new: str) -> Callable[[Path], object]:
    def change(place: Path) -> None:
        text = (place / name).read_text()
        assert old in text
        (place / name).write_text(text.replace(old, new))

    return change


def _torn(name: str) -> Callable[[Path], object]:
    return lambda place: os.truncate(place / name, (place / name).stat().st_size // 2)


SPOILED = {
    "a score is edited": _edited("scores.jsonl", '"value": 0.0', '"value": 1.0'),
    "a metric is edited": _edited("result.json", '"accuracy": 50.0', '"accuracy": 90.0'),
    "an interval is edited": _edited("result.json", '"interval_method"', '"method"'),
    "the result is torn": _torn("result.json"),
    "the scores are torn": _torn("scores.jsonl"),
    "the seal is torn": _torn("seal.json"),
    "the seal is another's": _edited("seal.json", '"inputs": "', '"inputs": "0'),
    "the seal is gone": lambda place: (place / "seal.json").unlink(),
    "the result is gone": lambda place: (place / "result.json").unlink(),
    "an answer is torn": _torn("responses.jsonl"),
}


@pytest.mark.parametrize("change", SPOILED.values(), ids=SPOILED.keys())
def test_what_is_not_as_it_was_written_is_made_anew(
    change: Callable[[Path], object], table: Path, scored: list[str], tmp_path: Path
) -> None:
    first = run(table, tmp_path / "runs", answer="yes")
    place = first.path / first.results[0].task
    before = told(first)[0]
    scored.clear()
    change(place)
    again = run(table, tmp_path / "runs", answer="yes")
    assert len(scored) == 1
    # what a torn result told of the time is lost, as ever
    timeless = {"seconds": 0, "timed": 0, "generated": 0}
    assert {**told(again)[0], **timeless} == {**before, **timeless}
    run(table, tmp_path / "runs", answer="yes")
    assert len(scored) == 1, "and then it is done"


def test_other_answers_come_to_another_number(table: Path, scored: list[str], tmp_path: Path) -> None:
    first = run(table, tmp_path / "runs", answer="yes")
    place = first.path / first.results[0].task
    _responses(place, lambda rows: rows[0].update(text="no"))
    assert run(table, tmp_path / "runs", answer="yes").results[0]["accuracy"] == pytest.approx(100 * 7 / 12)
    _responses(place, lambda rows: rows.append({**rows[0], "text": "yes"}))
    assert run(table, tmp_path / "runs", answer="yes").results[0]["accuracy"] == 50.0
    assert len(scored) == 3


def test_other_labels_come_to_another_number(table: Path, scored: list[str], tmp_path: Path) -> None:
    run(table, tmp_path / "runs", answer="yes")
    write_jsonl(table, [{**ROWS[0], "answer": "yes"}, *ROWS[1:]])
    again = run(table, tmp_path / "runs", answer="yes")
    assert again.results[0]["accuracy"] == pytest.approx(100 * 7 / 12)
    assert len(scored) == 2


def test_other_options_of_a_task(scored: list[str], tmp_path: Path) -> None:
    """The option is in the run's identity; within one run, Java that comes or goes does the same."""
    ptb = dict.fromkeys(("data",), "demo") | {"limit": 5}
    run("nocaps", tmp_path, **ptb, options={"nocaps.tokenizer": "treebank"})
    run("nocaps", tmp_path, **ptb, options={"nocaps.tokenizer": "treebank"})
    assert len(scored) == 1


@contextmanager
def another_process() -> Iterator[None]:
    """In which it is looked anew what is installed."""
    installation._asked_first.cache_clear()
    yield
    installation._asked_first.cache_clear()


def test_code_that_was_edited(table: Path, scored: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a process goes on nothing is sealed, since it runs what it has loaded; the next one scores once."""
    run(table, tmp_path / "runs")
    real = installation._own_files
    (tmp_path / "scorer.py").write_text("")
    monkeypatch.setattr(installation, "_own_files", lambda: [*real(), tmp_path / "scorer.py"])
    run(table, tmp_path / "runs")
    run(table, tmp_path / "runs")
    assert len(scored) == 3
    with another_process():
        run(table, tmp_path / "runs")
        run(table, tmp_path / "runs")
        assert len(scored) == 4
        (tmp_path / "scorer.py").write_text("edited")
        run(table, tmp_path / "runs")
        assert len(scored) == 5


def test_everything_that_scores_is_in_the_digest() -> None:
    """Scorers, tasks, certificates and oracles; nothing of it is looked for by name."""
    names = {file.name for file in installation._own_files()}
    assert {"pope.py", "result.py", "pope.json", "measures.py", "presets.toml"} <= names
    assert sum(file.name == "pope.py" for file in installation._own_files()) >= 2, "the task's and the oracle's"


@pytest.mark.parametrize("change", ["java", "package", "variable"])
def test_what_is_installed_decides(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with another_process():
        before = installation.installation_digest()
        assert before
        if change == "java":
            (tmp_path / "java").write_text("#!/bin/sh\n")
            (tmp_path / "java").chmod(0o755)
            monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        elif change == "package":
            (tmp_path / "numpy-99.dist-info").mkdir()
            monkeypatch.syspath_prepend(tmp_path)
        else:
            monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
        assert installation.installation_digest() == "", "not what this process began with"
    with another_process():
        assert installation.installation_digest() not in ("", before)


def test_a_plugin_counts_by_its_code(scored: list[str], tmp_path: Path) -> None:
    """Edited while the program runs, nobody knows what runs; a class that no module has is nobody's code."""
    file = tmp_path / "kept.py"
    file.write_text(PLUGIN)
    for _ in range(2):
        found = run("kept", tmp_path / "runs", plugins=[file], answer="yes")
    assert len(scored) == 1
    (task,) = {type(each.answers) for each in found}
    assert task is not None
    file.write_text(PLUGIN.replace('== "yes"', '== "no"'))
    run("kept", tmp_path / "runs", plugins=[file], answer="yes")
    assert len(scored) == 2


def test_a_class_that_a_function_made_is_scored_each_time(scored: list[str], tmp_path: Path) -> None:
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(PLUGIN, namespace)  # noqa: S102 - a class as it is typed, which no file holds
    from mipha_eval.core.data_source import DataSource

    task = namespace["Kept"](protocol="v1", data=DataSource("folder", tmp_path))
    for _ in range(2):
        evaluate("constant", task, output=tmp_path / "runs", progress=False, answer="yes")
    assert len(scored) == 2


# ---- the model


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the models that were built since the list was cleared."""
    found: list[str] = []
    real = evaluating.model_by_name

    def noted(name: str, *arguments: Any, **named: Any) -> Any:
        found.append(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(evaluating, "model_by_name", noted)
    return found


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint that was there long before."""
    folder = Path(shutil.copytree(TINY, tmp_path / "tiny"))
    for path in (*folder.iterdir(), folder):
        os.utime(path, (OLD, OLD))
    return folder


def ask(checkpoint: Path, output: Path, **options: Any) -> Run:
    return run(options.pop("tasks", "pope"), output, **{"model": "mipha", "path": checkpoint, "data": "demo", "limit": 8} | options)


def test_a_done_run_needs_no_model(checkpoint: Path, built: list[str], scored: list[str], tmp_path: Path) -> None:
    """And says the same; in a process of its own, torch is not even imported."""
    first = ask(checkpoint, tmp_path / "runs")
    assert (built, len(scored)) == (["mipha"], 1)
    again = ask(checkpoint, tmp_path / "runs")
    assert (built, len(scored), again.path, told(again)) == (["mipha"], 1, first.path, told(first))
    assert again.model == first.model
    call = f"evaluate('mipha', 'pope', path={str(checkpoint)!r}, data='demo', limit=8, output={str(tmp_path / 'runs')!r})"
    code = f"import sys; from mipha_eval import evaluate; print({call}.path); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(first.path), "False"], done.stderr


def _weight(folder: Path) -> None:
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-2, os.SEEK_END)
        last = file.read(1)
        file.seek(-2, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))


CHANGED: dict[str, tuple[Callable[[Path], object], dict[str, Any], bool]] = {
    "a weight": (_weight, {}, False),
    "a file beside": (lambda folder: (folder / "notes.txt").write_text(""), {}, True),
    "a variable": (lambda _: os.environ.update(CUDA_VISIBLE_DEVICES="7"), {}, True),
    "more questions": (lambda _: None, {"limit": 12}, True),
    "all questions": (lambda _: None, {"tasks": "mmvet", "limit": None}, True),
    "afresh": (lambda _: None, {"fresh": True}, False),
    "a control": (lambda _: None, {"control": "no-question"}, False),
    "another option": (lambda _: None, {"share": "false"}, False),
    "in other words": (lambda _: None, {"prompt": "{question} Say so."}, False),
}


@pytest.mark.parametrize(("change", "options", "same"), CHANGED.values(), ids=CHANGED.keys())
def test_the_model_is_built_where_something_is_another(
    change: Callable[[Path], object],
    options: dict[str, Any],
    same: bool,  # noqa: FBT001
    checkpoint: Path,
    built: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    first = ask(checkpoint, tmp_path / "runs")
    built.clear()
    change(checkpoint)
    again = ask(checkpoint, tmp_path / "runs", **options)
    assert built == ["mipha"]
    assert (again.path == first.path) == same
    assert again.complete
    manifest = read_json(again.path / "manifest.json")
    assert (manifest["identity"] == read_json(first.path / "manifest.json")["identity"]) == (same or "fresh" in options)


def test_a_picture_that_is_another_is_asked_about(checkpoint: Path, built: list[str], tmp_path: Path) -> None:
    from PIL import Image

    rows = [{"id": str(n), "question": "Is it red?", "answer": "yes", "image": f"{n}.png"} for n in range(3)]
    write_jsonl(tmp_path / "red.jsonl", rows)
    for row in rows:
        Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / row["image"])
    for _ in range(2):
        found = ask(checkpoint, tmp_path / "runs", tasks=str(tmp_path / "red.jsonl"), data=None, limit=None)
    assert built == ["mipha"]
    Image.new("RGB", (8, 8), (0, 0, 255)).save(tmp_path / "1.png")
    found = ask(checkpoint, tmp_path / "runs", tasks=str(tmp_path / "red.jsonl"), data=None, limit=None)
    assert (built, found.results[0].summary.generated) == (["mipha", "mipha"], 1)
    assert json.dumps(told(found))


def test_a_young_checkpoint_is_read_again(checkpoint: Path, built: list[str], tmp_path: Path) -> None:
    """What was written a moment ago may be written again within what a file system takes for one moment."""
    (checkpoint / "model.safetensors").touch()
    for _ in range(2):
        ask(checkpoint, tmp_path / "runs")
    assert len(built) == 2
