"""A run that is done is read: nothing is scored again and no model is loaded, unless something of it is another now."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mipha_eval import Run, UserError, evaluate, evaluate_all, load_run
from mipha_eval.core.atomic import write_json
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserInterruptError
from mipha_eval.core.plugins.registry import PACKAGE, Registry
from mipha_eval.judge.grading import begin_grading
from mipha_eval.runs import asked_model
from mipha_eval.runs.task_run import open_task
from mipha_eval.scoring import installation
from mipha_eval.scoring.installation import installation_digest, stamp_of
from mipha_eval.scoring.result import score_responses
from mipha_eval.store.loaded_record import read_loaded, write_loaded
from tests.conftest import read_json, read_jsonl, write_jsonl

TINY = PACKAGE / "demo" / "tiny"
OLD = 1_700_000_000
ROWS = [{"id": str(n), "question": f"Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(12)]
PLUGIN = """
from mipha_eval import Reading, Sample, Task, share

class Kept(Task):
    name = "kept"
    protocols = {"v1": "a plugin's"}
    metrics = (share("accuracy"),)
    own_data = True

    def samples(self):
        for number in range(4):
            yield Sample(str(number), "What?", ("yes",), (), number)

    def score(self, sample, response):
        return self.scored(sample, Reading(response.text, "as-is"), response.text == "yes")
"""


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Labels of the tasks that were scored since the list was cleared."""
    found: list[str] = []

    def noted(task: Any, *arguments: Any) -> Any:
        found.append(task.label)
        return score_responses(task, *arguments)

    monkeypatch.setattr("mipha_eval.runs.task_run.score_responses", noted)
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
    options = {"data": "demo", "limit": 8}
    first = run("mme,pope", tmp_path, **options)
    assert len(scored) == 2
    answers = [each.answers.scores for each in first]
    for _ in range(2):
        again = run("mme,pope", tmp_path, **options)
        assert (told(again), [each.answers.scores for each in again]) == (told(first), answers)
        assert all(each.summary.seconds == one.summary.seconds for each, one in zip(again, first, strict=True))
    assert len(scored) == 2
    run("pope,seed", tmp_path, **options)
    assert scored[2:] == ["seed@demo"], "a task that is added is scored alone"
    grown = run("pope", tmp_path, data="demo", limit=16)
    assert (scored[3:], grown["pope"].summary.n) == (["pope@demo"], 16)


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
    """Captions' tokenizer is in the name of their metric, too."""
    few = {"data": "demo", "limit": 5, "options": {"nocaps.tokenizer": "treebank"}}
    names = {str(run("nocaps", tmp_path, **few)["nocaps"].summary.headline) for _ in range(2)}
    assert (names, len(scored)) == ({"CIDEr[treebank]"}, 1)


@contextmanager
def another_process() -> Iterator[None]:
    """In which it is looked anew what is installed; it begins now."""
    begun, now = installation._begun, time.time()
    installation._asked_first.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(installation, "_begun", lambda: max(now, begun()))
        yield
    installation._asked_first.cache_clear()


def test_code_that_was_edited(table: Path, scored: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a process goes on nothing is sealed, since it runs what it has loaded; the next one scores once."""
    run(table, tmp_path / "runs")
    real = installation._own_files
    (tmp_path / "code").mkdir()
    (tmp_path / "code/scorer.py").write_text("")
    monkeypatch.setattr(installation, "_own_files", lambda: [*real(), *installation._files_in(str(tmp_path / "code"))])
    run(table, tmp_path / "runs")
    run(table, tmp_path / "runs")
    assert len(scored) == 3
    with another_process():
        run(table, tmp_path / "runs")
        run(table, tmp_path / "runs")
        assert len(scored) == 4
        (tmp_path / "code/scorer.py").write_text("edited")
        run(table, tmp_path / "runs")
        assert len(scored) == 5


def test_everything_that_scores_is_in_the_digest() -> None:
    """Scorers, tasks, certificates and oracles; nothing of it is looked for by name."""
    names = [Path(path).name for path, _ in installation._own_files()]
    assert {"result.py", "pope.json", "measures.py", "presets.toml"} <= {*names}
    assert names.count("pope.py") >= 2, "the task's and the oracle's"


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


def test_a_judge_counts_by_its_verdicts(scored: list[str], tmp_path: Path) -> None:
    """One that comes, other verdicts of the same one, and none any more each lead to other numbers."""
    few: dict[str, Any] = {"data": "demo", "limit": 4}
    names = [sample.id for sample in run("mmvet", tmp_path / "runs", **few)["mmvet"].answers.samples]

    def judged(grade: float) -> float:
        write_json(tmp_path / "grades.json", {name: {"model": ["m"], "score": [grade]} for name in names})
        grading = begin_grading(None, tmp_path / "grades.json", Registry())
        return run("mmvet", tmp_path / "runs", **few, judge=grading)["mmvet"]["score[m]"]

    assert [judged(0.5), judged(0.5)] == [50.0, 50.0]
    assert len(scored) == 2, "once without the judge, once with it"
    (verdicts,) = tmp_path.glob("runs/*/*/verdicts.jsonl")
    verdicts.write_text(verdicts.read_text().replace('"0.5"', '"1.0"'))
    assert judged(0.5) == 100.0
    assert "score[m]" not in run("mmvet", tmp_path / "runs", **few)["mmvet"].summary.metrics
    assert len(scored) == 4


def test_a_plugin_is_scored_each_time(scored: list[str], tmp_path: Path) -> None:
    """Nobody knows what its code reads while it scores."""
    file, list_of_right = tmp_path / "kept.py", tmp_path / "right.txt"
    reading = f"response.text in Path({str(list_of_right)!r}).read_text()"
    file.write_text("from pathlib import Path\n" + PLUGIN.replace('response.text == "yes"', reading))
    for right, accuracy in (("yes", 100.0), ("yes", 100.0), ("no", 0.0)):
        list_of_right.write_text(right)
        found = run("kept", tmp_path / "runs", plugins=[file], answer="yes")
        assert found["kept"]["accuracy"] == accuracy
    assert len(scored) == 3


def test_a_class_that_a_function_made_is_scored_each_time(scored: list[str], tmp_path: Path) -> None:
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(PLUGIN, namespace)
    task = namespace["Kept"](protocol="v1", data=DataSource("folder", tmp_path))
    for _ in range(2):
        evaluate("constant", task, output=tmp_path / "runs", progress=False, answer="yes")
    assert len(scored) == 2


class BuiltError(UserError):
    """A model was built."""


@dataclass(frozen=True)
class Done:
    """A run that is done, of a checkpoint that was there long before."""

    checkpoint: Path
    output: Path

    def ask(self, output: Path, **options: Any) -> Run:
        asked: dict[str, Any] = {"model": "mipha", "path": self.checkpoint, "data": "demo", "limit": 8, **options}
        return run(asked.pop("tasks", "pope"), output, **asked)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("done")
    found = Done(folder / "tiny", folder / "runs")
    aged(shutil.copytree(TINY, found.checkpoint))
    found.ask(found.output)
    return found


def aged(folder: Path) -> None:
    for path in (*folder.iterdir(), folder):
        os.utime(path, (OLD, OLD))


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever builds a model is told of it in place of one."""

    def refuse(*_: object, **__: object) -> None:
        raise BuiltError("a model was built")

    monkeypatch.setattr(asked_model, "model_by_name", refuse)


def test_a_done_run_needs_no_model(done: Done, no_model: None, scored: list[str]) -> None:
    """And says the same; in a process of its own, torch is not even imported."""
    (path,) = done.output.iterdir()
    first = load_run(path)
    before = told(first)
    again = done.ask(done.output)
    assert (scored, again.path, again.model, told(again)) == ([], path, first.model, before)
    what = f"'mipha', 'pope', path={str(done.checkpoint)!r}, data='demo', limit=8, output={str(done.output)!r}"
    code = f"import sys; from mipha_eval import evaluate; print(evaluate({what}).path); print('torch' in sys.modules)"
    same = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # packages on it are among what is installed
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=same)
    assert process.stdout.split() == [str(path), "False"], process.stderr


def _weight(folder: Path) -> Path:
    """Another last bit, in a file of the same size."""
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    return file


def _beside(folder: Path) -> Path:
    """A file that would be read, too."""
    (folder / "chat_template.jinja").write_text("")
    return folder


@pytest.mark.parametrize("change", [_weight, _beside])
def test_other_files_are_another_model(
    change: Callable[[Path], Path], done: Done, no_model: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(done.checkpoint, tmp_path / "kept")
    changed = change(done.checkpoint)
    with pytest.raises(BuiltError):
        done.ask(done.output)
    for file in done.checkpoint.iterdir():
        file.unlink()
    shutil.copytree(tmp_path / "kept", done.checkpoint, dirs_exist_ok=True)
    assert changed.exists()
    with pytest.raises(BuiltError):  # the same bytes, but who knows without reading them
        done.ask(done.output)
    monkeypatch.undo()
    aged(done.checkpoint)
    done.ask(done.output)


OTHERWISE: dict[str, dict[str, Any]] = {
    "more questions": {"limit": 12},
    "all questions": {"limit": None},
    "a task more": {"tasks": "pope,mme"},
    "a task that fails": {"tasks": "pope,vizwiz"},
    "afresh": {"fresh": True},
    "a control": {"control": "blind"},
    "probabilities": {"probabilities": True},
    "another option": {"share": "false"},
    "another precision": {"dtype": "bfloat16"},
    "in other words": {"prompt": "{question} Say so."},
    "in workers": {"workers": 2},
}


@pytest.mark.parametrize("options", OTHERWISE.values(), ids=OTHERWISE.keys())
def test_something_else_needs_the_model(options: dict[str, Any], done: Done, no_model: None, tmp_path: Path) -> None:
    output = Path(shutil.copytree(done.output, tmp_path / "runs"))
    done.ask(output)
    with pytest.raises(BuiltError):
        done.ask(output, **options)


def _lacking(run: Path) -> None:
    _responses(run / "pope@demo", lambda rows: rows.pop())


def _other_request(run: Path) -> None:
    _responses(run / "pope@demo", lambda rows: rows[0].update(key="0" * 24))


def _other_picture(run: Path) -> None:
    _responses(run / "pope@demo", lambda rows: rows[0].update(images=["0" * 16]))


def _failed(run: Path) -> None:
    _responses(run / "pope@demo", lambda rows: rows[0].update(error="no memory"))


def _torn_record(run: Path) -> None:
    os.truncate(run / "loaded.json", 40)


def _other_identity(run: Path) -> None:
    """Two runs of different weights cannot both be it."""
    other = Path(shutil.copytree(run, run.with_name("mipha-tiny__20200101-000000__000000")))
    (other / "manifest.json").write_text((other / "manifest.json").read_text().replace('"identity": "', '"identity": "0'))


SPOILED_RUNS = (_lacking, _other_request, _other_picture, _failed, _torn_record, _other_identity)


@pytest.mark.parametrize("change", SPOILED_RUNS)
def test_a_run_that_is_not_done_needs_the_model(
    change: Callable[[Path], object], done: Done, no_model: None, tmp_path: Path
) -> None:
    output = Path(shutil.copytree(done.output, tmp_path / "runs"))
    change(next(output.iterdir()))
    with pytest.raises(BuiltError):
        done.ask(output)


@pytest.mark.parametrize("change", ["variable", "device", "place", "machine", "package"])
def test_another_place_needs_the_model(
    change: str, done: Done, no_model: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the device that is chosen, or what is read, may be another."""
    if change == "variable":
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    elif change == "device":
        (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho GPU 0: NVIDIA H100 $1\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    elif change == "place":
        monkeypatch.chdir(tmp_path)
    elif change == "machine":
        monkeypatch.setattr("mipha_eval.runs.typed_digest.platform.node", lambda: "another")
    else:
        (tmp_path / "torch-99.dist-info").mkdir()
        monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BuiltError):
        done.ask(done.output)


def test_a_table_that_is_done_loads_no_model(done: Done, tmp_path: Path) -> None:
    """Each of its runs is read; where one lacks an answer the model is built for it, and serves those behind it, too."""
    listed = [{"model": "mipha", "options": {"path": done.checkpoint}, "controls": ["blind", "mean-image"]}]

    def runs() -> list[Path]:
        table = evaluate_all(listed, "pope", data="demo", limit=8, output=tmp_path, progress=False)
        found = [each.run for each in table if each.run is not None]
        assert [run["pope"].summary.n for run in found] == [8, 8, 8]
        return [run.path for run in found]

    def loaded(run: Path) -> list[bool]:
        """For each time that it was asked for."""
        notes = (run / "log.txt").read_text().splitlines()
        return ["is loaded if a question is left" not in line for line in notes if "; tasks pope@demo" in line]

    first = runs()
    _lacking(first[1])
    assert runs() == first
    assert [loaded(run) for run in first] == [[True, False], [True, False, True], [True, True]]


def test_the_rest_is_asked_as_ever(done: Done, tmp_path: Path) -> None:
    """A run that lacks an answer goes on where it is, and is done then."""
    output = Path(shutil.copytree(done.output, tmp_path / "runs"))
    (path,) = output.iterdir()
    before = told(load_run(path))
    _lacking(path)
    again = done.ask(output)
    assert (again.path, again["pope"].summary.generated, again["pope"].summary.metrics) == (path, 1, before[0]["metrics"])


def test_a_young_checkpoint_is_read_again(done: Done, tmp_path: Path) -> None:
    """What was written a moment ago may be written again within what a file system takes for one moment."""
    now = time.time()
    for age, noted in ((0.0, False), (60.0, True)):
        os.utime(done.checkpoint / "config.json", (now - age, now - age))
        write_loaded(tmp_path, "model", "run", lambda: [done.checkpoint / "config.json"])
        assert (read_loaded(tmp_path) is not None) == noted
    aged(done.checkpoint)
    found = read_loaded(tmp_path)
    assert found is not None
    assert not found.unchanged


def test_ctrl_c_before_the_model_is_built_is_not_lost(done: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a task lacks answers after all, and it came while the stand-in looked for them."""
    output = tmp_path / "runs"
    path = done.ask(output).path
    (path / "pope@demo/responses.jsonl").write_text("")

    def interrupted(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return open_task(*arguments)

    monkeypatch.setattr("mipha_eval.runs.run.open_task", interrupted)
    with pytest.raises(UserInterruptError):
        done.ask(output)


def test_code_that_is_younger_than_the_process_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have been imported before it was written."""
    assert installation_digest()
    monkeypatch.setattr("mipha_eval.scoring.installation._begun", lambda: 0.0)
    assert installation_digest() == ""


def test_weights_that_are_replaced_once_they_are_read_are_not_taken_for_those(
    done: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their stamps would stand beside the numbers of the others."""
    checkpoint = Path(shutil.copytree(done.checkpoint, tmp_path / "tiny"))
    aged(checkpoint)

    def replaced(path: Path) -> Any:
        found = stamp_of(path)
        if path.name == "model.safetensors":
            _weight(checkpoint)
        return found

    monkeypatch.setattr("mipha_eval.store.loaded_record.stamp_of", replaced)
    with pytest.raises(UserError, match="changed while the model was loaded"):
        Done(checkpoint, done.output).ask(tmp_path / "runs")
    assert not list((tmp_path / "runs").glob("*/loaded.json"))


def test_a_done_run_stays_done_where_its_model_cannot_be_built(
    done: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "runs"
    path = done.ask(output).path
    before = read_json(path / "status.json")

    def broken(*_: object, **__: object) -> Any:
        raise UserError("no memory")

    monkeypatch.setattr("mipha_eval.runs.asked_model.model_by_name", broken)
    with pytest.raises(UserError, match="no memory"):
        done.ask(output, limit=12)
    assert read_json(path / "status.json") == before
