"""What a plugin hands over is checked once, where it comes in: a slip is an error with file and line, never a number."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mipha_eval.core.errors import PluginError
from mipha_eval.core.metrics import Metric, Totals, UnknownCountError
from mipha_eval.core.plugins.checks.questions import wrong_sample
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.types import Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.scoring.result_record import CONTEXT, FIELDS
from tests.conftest import Cli, Outcome, read_json, write_jsonl
from tests.plugin_files import TASK, line_of, model_file, task_file

ROOT = Path(__file__).parents[1]


def method(name: str, body: str, *arguments: str) -> str:
    """A method of a plugin's class."""
    return f"\n    def {name}({', '.join(['self', *arguments])}):\n        {body}\n"


def run_quiz(cli: Cli, folder: Path, task: Path, *more: object, model: Path | None = None) -> Outcome:
    files = ["--plugin", task, *(["--plugin", model] if model else [])]
    asked = ["--model", "yes-man"] if model else ["--model", "constant"]
    return cli("run", "--tasks", "quiz", *asked, "--data", "demo", "-o", folder / "runs", *files, "--json", *more)


def assert_slip(outcome: Outcome, file: Path, text: str, *wanted: str) -> None:
    """One line with the plugin's file and the line that has `text`, exit code 2, and no number."""
    assert outcome.code == 2, (outcome.out, outcome.err)
    last = outcome.err.strip().splitlines()[-1]
    assert last.startswith("error: "), outcome.err
    assert f"{file}:{line_of(file, text)}" in last, last
    for part in wanted:
        assert part in last, last
    assert "metrics" not in outcome.out
    assert "Traceback" not in outcome.err


def test_the_plugins_as_they_are_score(cli: Cli, tmp_path: Path) -> None:
    task, model = task_file(tmp_path / "quiz.py"), model_file(tmp_path / "yes.py")
    outcome = run_quiz(cli, tmp_path, task, model=model)
    assert outcome.code == 0, outcome.err
    (result,) = outcome.json["results"]
    assert (result["task"], result["n"], result["metrics"]) == ("quiz@demo", 4, {"accuracy": 50})


SAMPLE = "yield Sample(str(number), 'Question?', ('Yes',), (), number)"
SAMPLES = [
    (SAMPLE.replace("('Yes',)", "'Yes'"), ["target", "'Yes' (str)"]),
    (SAMPLE.replace("('Yes',)", "['Yes']"), ["target", "['Yes'] (list)"]),
    (SAMPLE.replace("('Yes',)", "('Yes', 5)"), ["target", "tuple of texts"]),
    (SAMPLE.replace("('Yes',)", "None"), ["target", "None (NoneType)"]),
    (SAMPLE.replace("'Question?'", "7"), ["prompt no text", "7 (int)"]),
    (SAMPLE.replace("str(number)", "number"), ["id no text"]),
    (SAMPLE.replace("str(number)", "''"), ["an empty id"]),
    (SAMPLE.replace("(), number", "('a.jpg',), number"), ["images", "tuple of images"]),
    (SAMPLE.replace("(), number", "(), [number]"), ["question_id neither a text nor a number"]),
    (f"{SAMPLE[:-1]}, None)", ["category no text"]),
    (f"{SAMPLE[:-1]}, 'a\\nb')", ["which cannot stand in a table"]),
    (f"{SAMPLE[:-1]}, '[judge]')", ["which cannot stand in a table"]),
    (f"{SAMPLE[:-1]}, tags='abc')", ["tags", "tuple of texts"]),
    ("yield (number, 'Question?')", ["samples must give Sample objects", "(tuple)"]),
    ("yield None", ["samples must give Sample objects"]),
]


@pytest.mark.parametrize(("line", "wanted"), SAMPLES, ids=[" ".join(wanted) for _, wanted in SAMPLES])
def test_questions(cli: Cli, tmp_path: Path, line: str, wanted: list[str]) -> None:
    samples = f"\n    def samples(self):\n        for number in range(4):\n            {line}\n"
    file = task_file(tmp_path / "quiz.py", samples=samples)
    assert_slip(run_quiz(cli, tmp_path, file), file, "def samples", *wanted)


def test_samples_that_are_no_list(cli: Cli, tmp_path: Path) -> None:
    file = task_file(tmp_path / "quiz.py", samples=method("samples", "return 5"))
    outcome = run_quiz(cli, tmp_path, file)
    assert outcome.code == 2
    assert "quiz" in outcome.err
    assert "Traceback" not in outcome.err


SCORES = [
    ("return self.scored(sample, Reading('', 'r'), 5)", ["a number from 0 to 1 but 5.0"]),
    ("return self.scored(sample, Reading('', 'r'), -0.1)", ["a number from 0 to 1 but -0.1"]),
    ("return self.scored(sample, Reading('', 'r'), float('nan'))", ["a number from 0 to 1 but nan"]),
    ("return self.scored(sample, Reading('', 'r'), float('inf'))", ["a number from 0 to 1 but inf"]),
    ("return self.scored(sample, Reading(None, 'r'), 1)", ["as reading not a text but None"]),
    ("return self.scored(sample, Reading('', 5), 1)", ["as rule not a text but 5"]),
    ("return self.scored(sample, Reading('', 'r', parsed='no'), 1)", ["as parsed not True or False but 'no'"]),
    ("return self.scored(sample, Reading('', 'r', 7), 1)", ["as span not two places"]),
    ("return self.scored(sample, Reading('', 'r'), 1, extra=object())", ["values that can be stored"]),
    ("return self.scored(sample, Reading('', 'r'), 1, extra=float('nan'))", ["values that can be stored"]),
    ("return 1.0", ["no Score but 1.0 (float)"]),
    ("return replace(self.scored(sample, Reading('', 'r'), 1), sample='another')", ["the score of another one"]),
    ("return replace(self.scored(sample, Reading('', 'r'), 1), value='1')", ["a number from 0 to 1 but '1'"]),
]


@pytest.mark.parametrize(("line", "wanted"), SCORES, ids=[" ".join(wanted) for _, wanted in SCORES])
def test_scores(cli: Cli, tmp_path: Path, line: str, wanted: list[str]) -> None:
    file = task_file(tmp_path / "quiz.py", score=method("score", line, "sample", "response"))
    assert_slip(run_quiz(cli, tmp_path, file), file, "def score", "quiz@demo", *wanted)


HOOKS = [
    (method("finish", "return scores[1:]", "samples", "scores"), "def finish", ["a list of 4 scores, and gave 3"]),
    (method("finish", "return None", "samples", "scores"), "def finish", ["a list of 4 scores"]),
    (
        method("finish", "return [replace(score, value=2.0) for score in scores]", "samples", "scores"),
        "def finish",
        ["finish of quiz@demo gave for question 0 as value not a number from 0 to 1 but 2.0"],
    ),
    (method("score_missing", "return 0", "sample"), "", []),
    (method("lenient", "return 'yes'", "sample", "text"), "def lenient", ["lenient of quiz@demo gave", "'yes' (str)"]),
    (method("lenient", "return 5", "sample", "text"), "def lenient", ["no number from 0 to 1 but 5"]),
    (
        method("lenient", "return True", "sample", "text") + method("with_outcome", "return None", "score", "value"),
        "def with_outcome",
        ["with_outcome of quiz@demo gave", "no Score but None"],
    ),
    (method("tally", "return None", "scores"), "def tally", ["a dict of names and numbers, not None"]),
    (method("tally", "return [('right', 1)]", "scores"), "def tally", ["a dict of names and numbers"]),
    (method("tally", "return {'right': '1', 'asked': 1}", "scores"), "def tally", ["a dict of names and numbers"]),
    (method("tally", "return {'right': None, 'asked': 1}", "scores"), "def tally", ["a dict of names and numbers"]),
    (method("tally", "return {'right': float('nan'), 'asked': 1}", "scores"), "def tally", ["'right' what comes to nan"]),
    (method("tally", "return {5: 1, 'asked': 1, 'right': 0}", "scores"), "def tally", ["a name that is no text but 5"]),
    (method("tally", "return {'right': 5, 'asked': 1}", "scores"), "class Quiz", ["quiz@demo is 500, which is not from 0"]),
    (method("request", "return sample.prompt", "sample"), "def request", ["must give a Request"]),
    (method("request", "return Request(None)", "sample"), "def request", ["must give a Request"]),
    (method("request", "return Request('a', [], Decoding(5))", "sample"), "def request", ["a tuple of images"]),
    (method("request", "return Request('a', options='AB')", "sample"), "def request", ["a tuple of options"]),
    (method("metrics_for", "return []", "totals"), "def metrics_for", ["a list of one metric or more"]),
    (method("metrics_for", "return 'accuracy'", "totals"), "def metrics_for", ["a list of one metric or more"]),
    (
        method("metrics_for", "return [share('accuracy'), share('accuracy')]", "totals"),
        "def metrics_for",
        ["two metrics called accuracy"],
    ),
    (method("metrics_for", "return [share('a\\nb')]", "totals"), "def metrics_for", ["cannot stand in a table"]),
    (method("metrics_for", "return [share('')]", "totals"), "def metrics_for", ["cannot stand in a table"]),
]  # fmt: skip


@pytest.mark.parametrize(("more", "at", "wanted"), HOOKS, ids=[f"{at} {' '.join(wanted)}" for _, at, wanted in HOOKS])
def test_hooks(cli: Cli, tmp_path: Path, more: str, at: str, wanted: list[str]) -> None:
    file = task_file(tmp_path / "quiz.py", more=more)
    outcome = run_quiz(cli, tmp_path, file)
    if not at:
        assert outcome.code == 0, "nothing is missing in a run"
    elif at.startswith("class"):
        assert outcome.code == 2
        assert f"({file}, {at})" in outcome.err
        assert all(part in outcome.err for part in wanted)
    else:
        assert_slip(outcome, file, at, *wanted)


def metric(formula: str, more: str = "") -> str:
    return f"metrics: ClassVar = [Metric('accuracy', lambda totals: {formula}{more})]"


FORMULAS = [
    (metric("100 * totals['rigth'] / totals['asked']"), ["unknown count 'rigth'", "did you mean right", "asked, odd/asked"]),
    (metric("100 * totals.ratio(totals['odd/rigth'], totals['odd/asked'])"), ["'odd/rigth'", "odd/right"]),
    (metric("100 * totals['rigth'] / totals['asked']", ", needs=('asked',)"), ["unknown count 'rigth'"]),
    (metric("float('nan')"), ["accuracy of quiz@demo is nan"]),
    (metric("float('inf')", ", unit='points'"), ["is inf, which is not finite"]),
    (metric("-0.5"), ["is -0.5, which is not from 0 to 100"]),
    (metric("101"), ["is 101, which is not from 0 to 100"]),
    (metric("5", ", unit='points', bounds=(0, 1)"), ["is 5, which is not from 0 to 1"]),
    (metric("None"), ["gives no number"]),
    (metric("1 / 0"), ["gives no number: ZeroDivisionError"]),
    (metric("{}['x']"), ["KeyError"]),
]


@pytest.mark.parametrize(("metrics", "wanted"), FORMULAS, ids=[" ".join(wanted) for _, wanted in FORMULAS])
def test_metrics(cli: Cli, tmp_path: Path, metrics: str, wanted: list[str]) -> None:
    file = task_file(tmp_path / "quiz.py", metrics=metrics)
    outcome = run_quiz(cli, tmp_path, file)
    assert outcome.code == 2, outcome.out
    assert "Traceback" not in outcome.err
    assert str(file) in outcome.err
    for part in wanted:
        assert part in outcome.err, outcome.err
    if "totals[" in metrics or "1 / 0" in metrics:
        assert f"{file}:{line_of(file, 'metrics: ClassVar')}" in outcome.err


def test_a_count_that_may_be_missing_is_looked_up_as_such(cli: Cli, tmp_path: Path) -> None:
    file = task_file(tmp_path / "quiz.py", metrics=metric("100 * totals.get('bonus') / totals['asked']"))
    assert run_quiz(cli, tmp_path, file).json["results"][0]["metrics"] == {"accuracy": 0}
    totals = Totals({"right": 1.0})
    assert (totals["right"], totals.get("wrong")) == (1.0, 0.0)
    with pytest.raises(UnknownCountError, match="did you mean right"):
        totals["rihgt"]
    assert Totals({})["anything"] == 0.0, "where nothing was scored, no metric is defined"


@pytest.mark.parametrize("limit", [1, 3, 12])
@pytest.mark.parametrize("answer", ["Yes", "No", "nonsense"])
def test_bundled_tasks_look_up_what_may_be_missing(cli: Cli, tmp_path: Path, limit: int, answer: str) -> None:
    """Categories that no question is of, cells of POPE's confusion that no answer falls into."""
    names = "pope,mme,mmbench,seed,scienceqa,mmvet,gqa,vqav2,vizwiz,textvqa,coco-cap,nocaps"
    run = ["run", "--tasks", names, "--model", "constant", "-a", f"answer={answer}", "--data", "demo", "-L", limit]
    outcome = cli(*run, "-a", "coco_cap.tokenizer=treebank", "-a", "nocaps.tokenizer=treebank", "-o", tmp_path, "--json")
    assert outcome.code in (0, 3), outcome.err  # answers that nobody can read are no finished result
    assert len(outcome.json["results"]) == 12


@pytest.mark.parametrize("field", ["n", "metrics", "intervals", "task", "certificate", "provenance", "headline", *CONTEXT])
def test_notes_overwrite_nothing(cli: Cli, tmp_path: Path, field: str) -> None:
    file = task_file(tmp_path / "quiz.py", more=method("notes", f"return {{'{field}': 100}}", "scores"))
    outcome = run_quiz(cli, tmp_path, file)
    assert_slip(outcome, file, "def notes", "quiz@demo", f"must not overwrite the field {field} of a result")
    answers = write_jsonl(tmp_path / "answers.jsonl", [{"question_id": n, "text": "Yes"} for n in range(4)])
    again = cli("score", "quiz", "--answers", answers, "--data", "demo", "--plugin", file)
    assert_slip(again, file, "def notes", f"the field {field}")


@pytest.mark.parametrize("notes", ["None", "5", "{5: 1}", "{'mine': float('nan')}", "{'mine': object()}", "{'': 1}"])
def test_notes_are_a_dict_that_can_be_stored(cli: Cli, tmp_path: Path, notes: str) -> None:
    file = task_file(tmp_path / "quiz.py", more=method("notes", f"return {notes}", "scores"))
    assert_slip(run_quiz(cli, tmp_path, file), file, "def notes", "notes of quiz@demo")


@pytest.mark.parametrize("maximum", ["5", "None", "{'share': 'much'}", "{'share': [100]}"])
def test_the_highest_values_are_numbers(cli: Cli, tmp_path: Path, maximum: str) -> None:
    """Tables print them, so that they are looked at where they come in."""
    file = task_file(tmp_path / "quiz.py", more=method("notes", f"return {{'maximum': {maximum}}}", "scores"))
    assert_slip(run_quiz(cli, tmp_path, file), file, "def notes", "maximum")


@pytest.mark.parametrize("note", ["{'runs': 'five', 'std': {}}", "{'runs': [1, 2], 'std': None}", "{'notes': 5}"])
def test_what_another_task_notes_by_a_name_is_free_for_all(cli: Cli, tmp_path: Path, note: str) -> None:
    file = task_file(tmp_path / "quiz.py", more=method("notes", f"return {note}", "scores"))
    outcome = run_quiz(cli, tmp_path, file)
    (result,) = outcome.json["results"]
    assert ast.literal_eval(note).items() <= result.items()
    assert cli("report", outcome.json["run"], "--plugin", file).code == 0


def test_a_note_of_its_own_stands_in_the_result(cli: Cli, tmp_path: Path) -> None:
    file = task_file(tmp_path / "quiz.py", more=method("notes", "return {'mine': [1, {'a': None}]}", "scores"))
    assert run_quiz(cli, tmp_path, file).json["results"][0]["mine"] == [1, {"a": None}]


def test_every_field_of_a_result_is_one_that_notes_may_not_bring(cli: Cli, tmp_path: Path) -> None:
    """What a run, and scoring in other ways, add to what scoring alone writes is a field of the record."""
    run = ["run", "--tasks", "pope", "--model", "mipha-tiny", "--data", "demo", "-o", tmp_path, "--probabilities", "--json"]
    ran = cli(*run, "--blind", "-L", 12).json
    task = build_task("pope", {}, parse_source("demo", {}), Registry())
    samples = read_samples(task)
    answers = write_jsonl(tmp_path / "a.jsonl", [{"question_id": each.question_id, "text": "Yes"} for each in samples])
    scored = cli("score", "pope", "--answers", answers, "--data", "demo", "--json").json
    again = cli("score", ran["run"], "--json").json
    for summary in (ran["results"][0], scored, again):
        assert summary.keys() <= set(FIELDS)


RESPONSES = [
    ("return [Response(None) for _ in batch]", ["text is no text but None"]),
    ("return [Response(5) for _ in batch]", ["text is no text but 5"]),
    ("return ['Yes' for _ in batch]", ["as response 'Yes' .str"]),
    ("return [Response('Yes')][len(batch) :]", ["answered 0 of 4 requests"]),
    ("return [Response('Yes') for _ in range(9)]", ["answered 9 of 4 requests"]),
    ("return None", ["gave None .NoneType., no list of responses, to 4 requests"]),
    ("return (Response('Yes') for _ in batch)", ["no list of responses, to 4 requests"]),
    ("return [Response('Yes', tokens='3') for _ in batch]", ["tokens are no whole number"]),
    ("return [Response('Yes', error=None) for _ in batch]", ["error is no text but None"]),
    ("return [Response('Yes', finish=0) for _ in batch]", ["finish is no text but 0"]),
    ("return [Response('Yes', top=5) for _ in batch]", ["top are no pairs of a token and a number but 5"]),
    ("return [Response('Yes', top=((1, 'a'),)) for _ in batch]", ["top are no pairs of a token and a number"]),
    ("return [Response('Yes', probabilities=('a',)) for _ in batch]", ["probabilities are no tuple of numbers"]),
    ("return [Response('Yes', likelihoods=(-1.0,), option_tokens=(1,)) for _ in batch]", ["1 likelihoods for 0 texts"]),
]


@pytest.mark.parametrize(("line", "wanted"), RESPONSES, ids=[wanted[0] for _, wanted in RESPONSES])
def test_responses(cli: Cli, tmp_path: Path, line: str, wanted: list[str]) -> None:
    task, model = (
        task_file(tmp_path / "quiz.py"),
        model_file(tmp_path / "yes.py", generate=method("generate", line, "batch")),
    )
    outcome = run_quiz(cli, tmp_path, task, model=model)
    assert outcome.code == 2, outcome.out
    assert f"{model}:" in outcome.err
    assert re.search(wanted[0], outcome.err), outcome.err
    assert "Traceback" not in outcome.err
    status = read_json(next(tmp_path.glob("runs/*/status.json")))
    assert status["quiz@demo"]["state"] == "failed"
    questions = write_jsonl(tmp_path / "q.jsonl", [{"question_id": number, "text": f"{number}?"} for number in range(4)])
    again = cli(
        *("predict", "--questions", questions, "--image-folder", tmp_path, "--answers", tmp_path / "a.jsonl"),
        *("--plugin", model, "--model", "yes-man"),
    )
    assert again.code == 2, again.err
    assert f"{model}:" in again.err
    assert not (tmp_path / "a.jsonl").exists()


RANKED = method("request", "return Request(sample.prompt, options=('Yes', 'No'))", "sample")


@pytest.mark.parametrize("number", ["float('nan')", "float('-inf')"])
def test_a_likelihood_that_is_no_number_fails_its_request(cli: Cli, tmp_path: Path, number: str) -> None:
    """A matter of one question, as numbers of a network may be: counted, and no other is touched."""
    task = task_file(tmp_path / "quiz.py", more=RANKED)
    likelihoods = f"({number} if '1' in each.text else -1.0, -2.0)"
    body = f"return [Response('Yes', likelihoods={likelihoods}, option_tokens=(1, 1)) for each in batch]"
    model = model_file(tmp_path / "yes.py", more=method("loglikelihood", body, "batch"))
    outcome = run_quiz(cli, tmp_path, task, model=model)
    assert outcome.code == 3
    (result,) = outcome.json["results"]
    assert (result["n"], result["failed"]) == (3, 1)
    assert "no number" in outcome.err


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [
        ("likelihoods=(-1.0,), option_tokens=(1,)", "1 likelihoods for 2 texts"),
        ("likelihoods=(-1.0, -2.0)", "2 likelihoods and 0 option_tokens"),
        ("likelihoods=(-1.0, -2.0), option_tokens=(0, 1)", "option_tokens are not whole and above 0"),
        ("likelihoods=[-1.0, -2.0], option_tokens=(1, 1)", "likelihoods are no tuple of numbers"),
    ],
)
def test_rankings(cli: Cli, tmp_path: Path, numbers: str, wanted: str) -> None:
    task = task_file(tmp_path / "quiz.py", more=RANKED)
    body = f"return [Response('Yes', {numbers}) for _ in batch]"
    model = model_file(tmp_path / "yes.py", more=method("loglikelihood", body, "batch"))
    assert_slip(run_quiz(cli, tmp_path, task, model=model), model, "def loglikelihood", wanted)


@pytest.mark.parametrize("choices", ["['Yes', 'No']", "None", "{1: True}", "{'Yes': 'right'}", "{'': True}"])
def test_choices(cli: Cli, tmp_path: Path, choices: str) -> None:
    file = task_file(tmp_path / "quiz.py", more=method("possible_answers", f"return {choices}", "sample"))
    assert_slip(run_quiz(cli, tmp_path, file, "--probabilities"), file, "def possible_answers", "a dict of texts and truths")


@pytest.mark.parametrize("official", ["5", "'text'", "[('0', None)]", "[('0',)]", "[['0', 'Yes']]", "[5]"])
def test_answers_of_a_benchmarks_own_form(cli: Cli, tmp_path: Path, official: str) -> None:
    file = task_file(tmp_path / "quiz.py", more=method("official_answers", f"return {official}", "path", "samples"))
    answers = write_jsonl(tmp_path / "answers.jsonl", [{"question_id": 0, "text": "Yes"}])
    outcome = cli("score", "quiz", "--answers", answers, "--data", "demo", "--plugin", file)
    assert_slip(outcome, file, "def official_answers", "pairs of an answer key and a text")


@pytest.mark.parametrize(
    ("name", "body", "wanted"),
    [
        ("describe", "None", "must give a dict"),
        ("describe", "[1]", "must give a dict"),
        ("about", "['x']", "must give a dict"),
        ("about", "{5: 'x'}", "must give a dict"),
        ("budget", "'5'", "must be a whole number"),
        ("budget", "None", "must be a whole number"),
        ("budget", "-1", "must be a whole number"),
        ("identity", "[]", "the key of a dict"),
    ],
)
def test_what_a_model_says_of_itself(cli: Cli, tmp_path: Path, name: str, body: str, wanted: str) -> None:
    arguments = ["request"] if name == "identity" else []
    model = model_file(tmp_path / "yes.py", more=method(name, f"return {body}", *arguments))
    outcome = run_quiz(cli, tmp_path, task_file(tmp_path / "quiz.py"), model=model)
    assert_slip(outcome, model, f"def {name}", wanted)


@pytest.mark.parametrize("cost", ["(1, 2)", "Cost('a', 'b')", "Cost(1.5, 2.5)", "None", "1 / 0"])
def test_an_estimate_that_is_none_is_said_and_does_without(cli: Cli, tmp_path: Path, cost: str) -> None:
    model = model_file(tmp_path / "yes.py", more=method("cost", f"return {cost}", "request"))
    outcome = run_quiz(cli, tmp_path, task_file(tmp_path / "quiz.py"), model=model)
    assert outcome.code == 0
    assert outcome.json["results"][0]["metrics"] == {"accuracy": 50}
    assert "has no estimate for a question" in outcome.err


def test_a_failure_without_a_reason_is_a_failure(cli: Cli, tmp_path: Path) -> None:
    body = "return [Response.failure(str(TimeoutError())) for _ in batch]"
    model = model_file(tmp_path / "yes.py", generate=method("generate", body, "batch"))
    outcome = run_quiz(cli, tmp_path, task_file(tmp_path / "quiz.py"), model=model)
    assert outcome.code == 3
    (result,) = outcome.json["results"]
    assert (result["n"], result["failed"], result["metrics"]) == (0, 4, {})


NAMES = ["../../evil", "a/b", "a\\\\b", "", ".hidden", "-flag", "Quiz", "a b", "a@b", "pоpe", "a\\n", "x" * 61, "ü"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_plugins_are_names(cli: Cli, tmp_path: Path, name: str) -> None:
    place = tmp_path / "deep" / "down"
    place.mkdir(parents=True)
    for file in (
        task_file(tmp_path / "quiz.py", name=f"name: ClassVar = '{name}'"),
        model_file(tmp_path / "yes.py", name=f"name: ClassVar = '{name}'"),
    ):
        outcome = cli("run", "--tasks", "quiz", "--model", "constant", "--data", "demo", "-o", place, "--plugin", file)
        assert outcome.code == 2
        assert str(file) in outcome.err
        assert "must have a name of small letters" in outcome.err
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_dir()) == ["deep", "down"]


CLASSES = [
    ({"name": "name: ClassVar = 5"}, "must have a name"),
    ({"name": "label: ClassVar = 'x'"}, "must have a name"),
    ({"protocols": "protocols: ClassVar = {}"}, "protocols of task quiz must be"),
    ({"protocols": "protocols: ClassVar = ['v1']"}, "protocols of task quiz must be"),
    ({"protocols": "protocols: ClassVar = {'../v1': 'a'}"}, "protocols of task quiz must be"),
    ({"protocols": "protocols: ClassVar = {'demo': 'real data'}"}, "not beginning with demo"),
    ({"protocols": ""}, "protocols of task quiz must be"),
    ({"metrics": "metrics: ClassVar = 'accuracy'"}, "metrics of task quiz must be a list of metrics"),
    ({"options": "uploads: ClassVar = 'v1'"}, "uploads of task quiz must be a list of texts"),
    ({"options": "rows: ClassVar = {'v1': 4}"}, "rows of task quiz must be"),
    ({"options": "version: ClassVar = '2'"}, "version of task quiz must be"),
    ({"options": "without_judge: ClassVar = 'a'"}, "without_judge of task quiz must be"),
    ({"options": "version: int = 3"}, "an option version"),
    ({"options": "lettered: bool = True"}, "an option lettered"),
    ({"name": "name: str = 'quiz'"}, "an option name"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "wanted"), CLASSES, ids=[wanted for _, wanted in CLASSES])
def test_attributes_of_a_class(cli: Cli, tmp_path: Path, changed: Mapping[str, str], wanted: str) -> None:
    file = task_file(tmp_path / "quiz.py", **changed)
    outcome = run_quiz(cli, tmp_path, file)
    assert outcome.code == 2, outcome.out
    assert str(file) in outcome.err
    assert wanted in outcome.err
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


@pytest.mark.parametrize("label", ["pope@llava", "../../evil", "quiz@v2"])
def test_a_label_is_a_tasks_name_and_protocol(cli: Cli, tmp_path: Path, label: str) -> None:
    more = f"\n    @property\n    def label(self):\n        return '{label}'\n"
    file = task_file(tmp_path / "quiz.py", more=more)
    assert_slip(run_quiz(cli, tmp_path, file), file, "@property", "calls itself")


@pytest.mark.parametrize("name", ["pope", "coco-cap", "coco_cap"])
def test_only_the_bundled_task_bears_its_name(cli: Cli, tmp_path: Path, name: str) -> None:
    file = task_file(
        tmp_path / "quiz.py", name=f"name: ClassVar = '{name}'", protocols="protocols: ClassVar = {'llava': 'mine'}"
    )
    for command in (["run", "--tasks", name, "--model", "constant", "--data", "demo", "-o", tmp_path / "runs"], ["list"]):
        outcome = cli(*command, "--plugin", file)
        assert outcome.code == 2
        assert f"{file} calls a task {name.replace('_', '-')}" in outcome.err
    assert not list(tmp_path.glob("runs/*"))


def test_a_packages_task_does_not_take_a_bundled_name(tmp_path: Path) -> None:
    """Nor does it keep anybody from the bundled one."""
    task_file(tmp_path / "other_pope.py", name="name: ClassVar = 'pope'")
    task_file(tmp_path / "other_name.py", name="name: ClassVar = 'mme'")
    information = tmp_path / "other-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    points = "[mipha_eval.tasks]\npope = other_pope:Quiz\nquiz = other_name:Quiz\n"
    (information / "entry_points.txt").write_text(points)
    run = [sys.executable, "-m", "mipha_eval", "run", "--model", "constant", "--data", "demo", "-L", "6", "--json"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*run, "-o", str(tmp_path / "runs"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    done = call("--tasks", "pope")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"][0]["headline"] == "f1", "mipha-eval's own"
    assert "other" in done.stderr
    assert "is left out" in done.stderr
    wrong = call("--tasks", "quiz")
    assert wrong.returncode == 2
    assert "calls itself mme" in wrong.stderr


def test_a_judges_dialogue_hands_over_scores(cli: Cli, tmp_path: Path) -> None:
    grades = tmp_path / "grades.json"
    grades.write_text(json.dumps({str(number): {"score": [1.0], "model": ["a"]} for number in range(4)}))
    for body, wanted in (
        ("return 5\n        yield Query('q', 3)", "grade of quiz@demo must give a list of 1 scores"),
        (
            "return [self.scored(answers[0].sample, Reading('', 'r'), 7)]\n        yield Query('q', 3)",
            "a number from 0 to 1 but 7",
        ),
        ("return [1]", "which is no dialogue"),
        ("raise KeyError('x')\n        yield Query('q', 3)", "KeyError('x')"),
    ):
        file = task_file(
            tmp_path / "quiz.py",
            base="JudgedTask",
            more=method("grade", body, "answers", "runs"),
        )
        sys.modules.pop(f"mipha_eval_plugin_{file.resolve()}", None)
        outcome = run_quiz(cli, tmp_path, file, "--grades", grades, "--fresh")
        assert outcome.code == 3, (body, outcome.out, outcome.err)
        assert wanted in outcome.err
        assert "Traceback" not in outcome.err


def test_bundled_questions_from_a_wrong_file_name_the_data() -> None:
    assert "target" in wrong_sample(Sample("1", "Question?", "yes", (), 1))  # type: ignore[arg-type]
    assert wrong_sample(Sample("1", "Question?", ("yes",), (), 1)) == ""


def test_a_registry_refuses_for_library_users_too(tmp_path: Path) -> None:
    file = task_file(tmp_path / "quiz.py", name="name: ClassVar = '../evil'")
    with pytest.raises(PluginError, match="must have a name"):
        Registry([file]).load("tasks", "quiz")
    assert Metric("a", lambda _: 0.0).range == (0, 100)
    assert TASK["more"] == ""


def test_the_rule_in_a_judges_place_has_a_name(cli: Cli, tmp_path: Path) -> None:
    own = "\n    @property\n    def stand_in(self):\n        return 5\n" + method(
        "grade", "yield from ()", "answers", "runs"
    )
    file = task_file(tmp_path / "quiz.py", base="JudgedTask", more=own)
    assert_slip(run_quiz(cli, tmp_path, file), file, "@property", "stand_in of quiz@demo must be a text")
