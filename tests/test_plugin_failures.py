"""A plugin that fails, in whatever way: the other tasks' results are there, and one line says where."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mipha_eval.core.plugins.code_digest import code_digest
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.runs.evaluate import evaluate
from mipha_eval.runs.run import TasksFailedError
from tests.conftest import Cli, Outcome, read_json, read_jsonl, write_jsonl
from tests.plugin_files import line_of, model_file, task_file

ROOT = Path(__file__).parents[1]
THREE = ["run", "--tasks", "pope,gqa,quiz", "--data", "demo", "-L", 6]


def method(name: str, body: str, *arguments: str) -> str:
    return f"\n    def {name}({', '.join(['self', *arguments])}):\n        {body}\n"


#: where the third task fails, as its parts
TASK_FAILURES = {
    "score": {"score": method("score", "raise KeyError('gone')", "sample", "response")},
    "samples": {"samples": method("samples", "yield {}['gone']")},
    "finish": {"more": method("finish", "raise RuntimeError('gone')", "samples", "scores")},
    "tally": {"more": method("tally", "return {}['gone']", "scores")},
    "metrics_for": {"more": method("metrics_for", "raise OSError('gone')", "totals")},
    "request": {"more": method("request", "raise ValueError('gone')", "sample")},
    "notes": {"more": method("notes", "raise MemoryError('gone')", "scores")},
    "lenient": {"more": method("lenient", "assert False, 'gone'", "sample", "text")},
    "last": {"score": method("score", "return (1 / (sample.id != '3'))", "sample", "response")},
    "value": {"score": method("score", "return self.scored(sample, Reading('', 'gone'), 5)", "sample", "response")},
    "exit": {"score": method("score", "sys.exit(0)", "sample", "response")},
    "exit in samples": {"samples": method("samples", "sys.exit(0)")},
    "interrupt": {"score": method("score", "raise KeyboardInterrupt('gone')", "sample", "response")},
    "generator": {"score": method("score", "raise GeneratorExit('gone')", "sample", "response")},
}


def assert_two_of_three(outcome: Outcome, folder: Path, file: Path) -> None:
    """POPE and GQA have results, on disk and printed; the quiz has failed, with its reason; one line names the file."""
    assert outcome.code == 2, (outcome.out, outcome.err)
    assert "Traceback" not in outcome.err
    last = outcome.err.strip().splitlines()[-1]
    assert last.startswith("error: quiz@demo: plugin ")
    assert f"{file}:" in last
    (path,) = folder.glob("*/manifest.json")
    for label in ("pope@demo", "gqa@demo"):
        assert read_json(path.parent / label / "result.json")["n"] == 6
        assert label in outcome.out
        assert label in (path.parent / "report.md").read_text()
    status = read_json(path.parent / "status.json")
    assert {label: entry["state"] for label, entry in status.items()} == {
        "pope@demo": "done",
        "gqa@demo": "done",
        "quiz@demo": "failed",
    }
    assert f"{file}:" in status["quiz@demo"]["reason"]
    assert not (path.parent / "quiz@demo/result.json").exists()


@pytest.mark.parametrize("where", TASK_FAILURES)
def test_the_third_of_three_tasks_fails(cli: Cli, tmp_path: Path, where: str) -> None:
    file = task_file(tmp_path / "quiz.py", **TASK_FAILURES[where])
    command = [*THREE, "--model", "constant", "-o", tmp_path / "runs", "--plugin", file]
    assert_two_of_three(cli(*command), tmp_path / "runs", file)
    again = cli(*command, "--json")
    assert again.code == 2, "and once more, with everything stored"
    assert [result["task"] for result in again.json["results"]] == ["pope@demo", "gqa@demo"]
    assert str(file) in again.json["failed"]["quiz@demo"]


@pytest.mark.parametrize("first", ["quiz,pope,gqa", "pope,quiz,gqa"])
def test_the_first_or_second_fails(cli: Cli, tmp_path: Path, first: str) -> None:
    file = task_file(tmp_path / "quiz.py", **TASK_FAILURES["score"])
    outcome = cli(
        *("run", "--tasks", first, "--data", "demo", "-L", 6, "--model", "constant"),
        *("-o", tmp_path / "runs", "--plugin", file),
    )
    assert_two_of_three(outcome, tmp_path / "runs", file)


def test_a_mended_task_goes_on_from_what_is_stored(cli: Cli, tmp_path: Path) -> None:
    file = task_file(tmp_path / "quiz.py", **TASK_FAILURES["finish"])
    command = [*THREE, "--model", "constant", "-o", tmp_path / "runs", "--plugin", file, "--json"]
    assert cli(*command).code == 2
    task_file(file)
    sys.modules.pop(f"mipha_eval_plugin_{file.resolve()}")
    outcome = cli(*command)
    assert outcome.code == 0
    assert [result["generated"] for result in outcome.json["results"]] == [0, 0, 0], "nothing is asked again"
    assert read_json(Path(outcome.json["run"]) / "status.json")["quiz@demo"]["state"] == "done"


BODIES = {
    "exception": "if 'Question' in batch[0].text: raise KeyError('gone')",
    "exit": "if 'Question' in batch[0].text: sys.exit(0)",
    "exit without a code": "if 'Question' in batch[0].text: raise SystemExit",
    "interrupt": "if 'Question' in batch[0].text: raise KeyboardInterrupt",
    "generator": "if 'Question' in batch[0].text: raise GeneratorExit",
    "base": "if 'Question' in batch[0].text: raise type('Odd', (BaseException,), {})('gone')",
    "none": "if 'Question' in batch[0].text: return [Response(None) for _ in batch]",
}


@pytest.mark.parametrize("body", BODIES)
def test_the_model_fails_in_the_third_task(cli: Cli, tmp_path: Path, body: str) -> None:
    """A model may answer all or nothing of it; in no case are the others lost, or is all well."""
    file = task_file(tmp_path / "quiz.py")
    generate = method("generate", f"{BODIES[body]}\n        return [Response('Yes') for _ in batch]", "batch")
    model = model_file(tmp_path / "yes.py", generate=generate)
    plugins = ["--plugin", file, "--plugin", model, "--model", "yes-man"]
    outcome = cli(*THREE, "-b", 4, "-o", tmp_path / "runs", *plugins)
    if outcome.code == 3:  # failed requests, each with its reason
        assert body in ("exception", "none")
        assert "yes.py" in outcome.err
        return
    assert_two_of_three(outcome, tmp_path / "runs", model)
    assert f"{model}:" in outcome.err


ODD = {
    "sys.exit(0)": "SystemExit(0)",
    "sys.exit()": "SystemExit(None)",
    "raise SystemExit('all is well')": "SystemExit",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise GeneratorExit": "GeneratorExit",
    "raise type('Odd', (BaseException,), {})('gone')": "Odd: gone",
    "1 / 0": "ZeroDivisionError",
}


@pytest.mark.parametrize("body", ODD)
@pytest.mark.parametrize("kind", ["task", "model"])
def test_an_import_that_ends_the_program(cli: Cli, tmp_path: Path, kind: str, body: str) -> None:
    write: Callable[..., Path] = task_file if kind == "task" else model_file
    file = write(tmp_path / "odd.py", head=body)
    for command in (["list"], ["run", "--tasks", "gqa", "--model", "constant", "--data", "demo", "-o", tmp_path / "runs"]):
        outcome = cli(*command, "--plugin", file)
        assert outcome.code == 2
        last = outcome.err.strip().splitlines()[-1]
        assert last.startswith("error: ")
        assert f"{file}:{line_of(file, body)}" in last
        assert ODD[body] in last
        assert "gqa" in outcome.out, "the others are listed, and have their results"
        assert "Traceback" not in outcome.err


def test_a_file_that_is_no_python(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "odd.py"
    file.write_text("x = 1\ndef f(:\n")
    outcome = cli("list", "--plugin", file)
    assert outcome.code == 2
    assert f"{file}:2" in outcome.err


@pytest.mark.parametrize("body", ["sys.exit(0)", "raise KeyboardInterrupt", "raise KeyError('gone')"])
@pytest.mark.parametrize("name", ["load", "describe", "about", "budget", "cost", "prefetch", "identity", "__post_init__"])
def test_every_method_of_a_model(cli: Cli, tmp_path: Path, name: str, body: str) -> None:
    arguments = {"cost": ["request"], "prefetch": ["batch"], "identity": ["request"]}.get(name, [])
    model = model_file(tmp_path / "yes.py", more=method(name, body, *arguments))
    outcome = cli(
        *("run", "--tasks", "gqa", "--model", "yes-man", "--data", "demo", "-L", 6, "-o", tmp_path / "runs"),
        *("--plugin", model),
    )
    if outcome.code == 0:  # a hint or an estimate that fails need not stop anything
        assert name in ("cost", "prefetch")
        assert body == "raise KeyError('gone')"
        assert "yes.py" in outcome.err
        return
    assert outcome.code == 2, (outcome.code, outcome.err)
    assert f"{model}:{line_of(model, body)}" in outcome.err
    assert "Traceback" not in outcome.err


def test_verbs_that_score_and_show(cli: Cli, tmp_path: Path) -> None:
    file = task_file(tmp_path / "quiz.py", **TASK_FAILURES["exit"])
    answers = write_jsonl(tmp_path / "answers.jsonl", [{"question_id": n, "text": "Yes"} for n in range(4)])
    outcome = cli("score", "quiz", "--answers", answers, "--data", "demo", "--plugin", file)
    assert outcome.code == 2
    assert f"{file}:{line_of(file, 'sys.exit(0)')}" in outcome.err
    shown = task_file(tmp_path / "other.py", **TASK_FAILURES["exit in samples"])
    outcome = cli("show", "task", "quiz", "--plugin", shown)
    assert outcome.code == 2
    assert f"{shown}:{line_of(shown, 'sys.exit(0)')}" in outcome.err


def test_ctrl_c_is_the_users_also_in_a_plugins_code(cli: Cli, tmp_path: Path) -> None:
    """A signal while a plugin works is nobody's error: the batch is finished, and what was answered is there."""
    body = "os.kill(os.getpid(), 2)\n        return [Response('Yes') for _ in batch]"
    model = model_file(tmp_path / "yes.py", generate=method("generate", body, "batch"))
    run_quiz = ["run", "--tasks", "gqa", "--model", "yes-man", "--data", "demo", "-b", 4, "-L", 12, "-o", tmp_path / "runs"]
    outcome = cli(*run_quiz, "--plugin", model, "--json")
    assert outcome.code == 3, outcome.err
    assert "finishing the batch" in outcome.err
    assert 0 < outcome.json["results"][0]["n"] < 12
    file = task_file(tmp_path / "quiz.py", samples=method("samples", "os.kill(os.getpid(), 2)\n        yield"))
    stopped = cli(
        "run", "--tasks", "quiz", "--model", "constant", "--data", "demo", "-o", tmp_path / "more", "--plugin", file
    )
    assert stopped.code == 3
    assert "stopped" in stopped.err


def test_library_users_get_the_results_too(tmp_path: Path) -> None:
    file = task_file(tmp_path / "quiz.py", **TASK_FAILURES["exit"])
    with pytest.raises(TasksFailedError) as caught:
        evaluate("constant", "pope,quiz", data="demo", output=tmp_path / "runs", limit=6, progress=False, plugins=[file])
    assert [result.task for result in caught.value.run] == ["pope@demo"]
    assert list(caught.value.failures) == ["quiz@demo"]


def answers_of(outcome: Outcome) -> set[str]:
    assert outcome.code in (0, 3), outcome.err
    return {row["text"] for row in read_jsonl(Path(outcome.json["run"]) / "quiz@demo/responses.jsonl")}


def test_an_edited_model_answers_anew(tmp_path: Path) -> None:
    """Each run a process of its own, as a user's is; a helper beside the file and a list that it reads count as well."""
    task = task_file(tmp_path / "quiz.py")
    helper, words = tmp_path / "helper_of_yes.py", tmp_path / "words.txt"
    body = "import helper_of_yes\n        return [Response(helper_of_yes.say()) for _ in batch]"
    model = model_file(tmp_path / "yes.py", generate=method("generate", body, "batch"))
    questions = write_jsonl(tmp_path / "q.jsonl", [{"question_id": number, "text": f"{number}?"} for number in range(4)])
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{tmp_path}"}

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mipha_eval", *map(str, arguments), "--plugin", str(model), "--model", "yes-man"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def said() -> tuple[str, str]:
        """What a run's and a prediction's stored answers say."""
        done = call("run", "--tasks", "quiz", "--plugin", task, "--data", "demo", "-o", tmp_path / "runs", "--json")
        assert done.returncode == 0, done.stderr
        rows = read_jsonl(Path(json.loads(done.stdout)["run"]) / "quiz@demo/responses.jsonl")
        predicted = tmp_path / "a.jsonl"
        command = ["predict", "--questions", questions, "--image-folder", tmp_path, "--answers", predicted]
        first = call(*command)
        if first.returncode == 2:
            assert "answers of another model" in first.stderr
            first = call(*command, "--fresh")
        assert first.returncode == 0, first.stderr
        return rows[-1]["text"], read_jsonl(predicted)[0]["text"]

    words.write_text("Yes")
    reading = "from pathlib import Path\n\n\ndef say():\n    return Path(__file__).with_name('words.txt').read_text()"
    helper.write_text(reading)
    assert said() == ("Yes", "Yes")
    assert said() == ("Yes", "Yes")
    assert len(list(tmp_path.glob("runs/*"))) == 1, "the same code goes on with its run"
    words.write_text("No")
    assert said() == ("No", "No")
    helper.write_text(f"{reading} + '!'")
    assert said() == ("No!", "No!")
    model_file(model, generate=method("generate", "return [Response('Perhaps') for _ in batch]", "batch"))
    assert said() == ("Perhaps", "Perhaps")
    assert len(list(tmp_path.glob("runs/*"))) == 4


def test_scores_of_edited_code_are_not_compared(cli: Cli, tmp_path: Path) -> None:
    file = task_file(tmp_path / "quiz.py")

    def made(answer: str) -> str:
        outcome = cli(
            *("run", "--tasks", "quiz", "--model", "constant", "-a", f"answer={answer}", "--data", "demo"),
            *("-o", tmp_path / "runs", "--plugin", file, "--json"),
        )
        assert outcome.code == 0, outcome.err
        return str(outcome.json["run"])

    first = made("Yes")
    record = read_json(Path(first) / "quiz@demo/task.json")
    assert record["code"]
    task_file(file, score=method("score", "return self.scored(sample, Reading('', 'always'), 1)", "sample", "response"))
    sys.modules.pop(f"mipha_eval_plugin_{file.resolve()}")
    second = made("No")
    outcome = cli("compare", first, second, "--plugin", file)
    assert outcome.code == 2
    assert "scored by different code of the plugin" in outcome.err
    again = made("Yes")
    assert again == first, "answers stay, scores are made anew"
    assert read_json(Path(first) / "quiz@demo/result.json")["metrics"] == {"accuracy": 100}
    assert cli("compare", first, second, "--plugin", file).code == 0
    del record["code"]
    (Path(first) / "quiz@demo/task.json").write_text(json.dumps(record))
    assert cli("compare", first, second, "--plugin", file).code == 0, "a run from before does not say"


def test_code_is_a_plugins_own(tmp_path: Path) -> None:
    file = task_file(tmp_path / "quiz.py", head="import numpy, json, mipha_eval.core.metrics, nothing_that_is_there")
    text = file.read_text().replace(", nothing_that_is_there", "\nif False:\n    import nothing_that_is_there")
    file.write_text(text)
    owner: type = Registry([file]).load("tasks", "quiz")[0]
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "quiz.py").write_text(text)
    same: type = Registry([other / "quiz.py"]).load("tasks", "quiz")[0]
    assert code_digest(owner) == code_digest(same) != "", "the same on every machine"
    bundled: list[type] = [Registry().load("tasks", name)[0] for name in ("pope", "mme", "coco-cap")]
    bundled.append(Registry().load("model_adapters", "constant")[0])
    assert {*map(code_digest, bundled)} == {""}, "these have versions"


def test_a_bundled_models_run_is_found_as_before(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("run", "--tasks", "gqa", "--model", "constant", "--data", "demo", "-L", 6, "-o", tmp_path, "--json")
    manifest = read_json(Path(outcome.json["run"]) / "manifest.json")
    assert "code" not in manifest
    assert "code" not in read_json(Path(outcome.json["run"]) / "gqa@demo/task.json")
