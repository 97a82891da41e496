"""What an author gets wrong is said in his terms, in one line with his file; the other tasks have their results."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from mipha_eval.core.plugins.registry import Registry
from tests.conftest import Cli, Outcome, read_json
from tests.judge_server import Say, Serve
from tests.plugin_files import line_of, model_file, task_file

ROOT = Path(__file__).parents[1]


def method(name: str, body: str, *arguments: str) -> str:
    lines = body.replace("\n", "\n        ")
    return f"\n    def {name}({', '.join(['self', *arguments])}):\n        {lines}\n"


def run_beside(cli: Cli, folder: Path, *plugins: Path, tasks: str = "gqa,quiz", model: str = "constant") -> Outcome:
    """A bundled task and the author's, in one run."""
    files = [part for plugin in plugins for part in ("--plugin", plugin)]
    asked = ("--model", model, "--data", "demo", "-L", 4, "-q", "--json")
    return cli("run", "--tasks", tasks, *asked, "-o", folder / "runs", *files)


def assert_told(outcome: Outcome, place: str, *wanted: str) -> None:
    """Exit code 2; two lines at most; the last one is the error, with what is wrong, and the author's file and line."""
    assert outcome.code == 2, (outcome.out, outcome.err)
    lines = outcome.err.strip().splitlines()
    assert len(lines) <= 2, outcome.err
    assert lines[-1].startswith("error: ")
    assert place in lines[-1], lines[-1]
    for part in wanted:
        assert part in lines[-1], lines[-1]


def assert_only_the_quiz_failed(outcome: Outcome, place: str, *wanted: str) -> None:
    assert_told(outcome, place, *wanted)
    assert [result["task"] for result in outcome.json["results"]] == ["gqa@demo"]
    assert outcome.json["results"][0]["n"] == 4
    (reason,) = outcome.json["failed"].values()
    assert place in reason


def asked(fields: str) -> str:
    """Questions with some of their fields otherwise."""
    usual = "id=str(number), prompt='Why?', target=('Yes',), images=(), question_id=number"
    body = f"for number in range(4):\n    yield Sample(**(dict({usual}) | dict({fields})))"
    return method("samples", body)


PICTURE = "from mipha_eval.core.types import Image\nPICTURE = Image('a.png', '/a.png', lambda: b'')\n"

#: fields of a question -> how it is to be written
FIELDS = {
    "images=PICTURE": "images of question 0 must be a tuple of images, not Image(",
    "images=PICTURE,": "write (image,), with a comma",
    "images=[PICTURE]": "write tuple(images)",
    "images=None": "write () where there is nothing",
    "images='a.png'": "self.data.images(TASK, FOLDER).image(NAME) gives an image",
    "images=(__file__,)": "self.data.images(TASK, FOLDER).image(NAME) gives an image",
    "images=b'PNG'": "not b'PNG' (bytes)",
    "target='Yes'": "target of question 0 must be a tuple of texts, not 'Yes' (str): write ('Yes',), with a comma",
    "target=3": "write (str(target),), with a comma",
    "target=(3,)": "write tuple(map(str, target))",
    "target=['Yes']": "write tuple(target)",
    "choices=['a', 'b']": "choices of question 0 must be a tuple of texts, not ['a', 'b'] (list): write tuple(choices)",
    "choices=None": "choices of question 0 must be a tuple",
    "prompt=''": "the prompt of question 0 has no text",
    "id='same'": "ids must be unique; 1 are given to several questions, first same",
}


@pytest.mark.parametrize("fields", FIELDS)
def test_fields_of_a_question(cli: Cli, tmp_path: Path, fields: str) -> None:
    file = task_file(tmp_path / "quiz.py", head=PICTURE, samples=asked(fields))
    place = f"{file}:{line_of(file, 'def samples')}"
    assert_only_the_quiz_failed(run_beside(cli, tmp_path, file), place, FIELDS[fields])


QUESTION = "Sample(str(number), 'Why?', ('Yes',), (), number)"
SAMPLES = {
    f"for number in range(5):\n    yield {QUESTION}\n    number and 1 / (number - 3)": ("1 / (", "ZeroDivisionError"),
    "pass": ("def samples", "must yield Sample objects, or return a list of them, and gave None"),
    "return 5": ("def samples", "and gave 5 (int)"),
    "return []": ("def samples", "quiz@demo has no questions"),
    f"return {{str(number): {QUESTION} for number in range(4)}}": ("def samples", "must give Sample objects, not '0'"),
    "yield Sample('1', 'Why?', ('Yes',))": ("yield Sample", "missing 2 required positional arguments"),
    f"number = 1\nyield {QUESTION}\nraise StopIteration": ("raise Stop", "generator raised StopIteration"),
    f"self.number = 1\nyield {QUESTION}": ("self.number", "cannot assign to field 'number'; a task or model is a frozen"),
    "yield Mine('1', 'Why?', ('Yes',), (), 1)": ("def samples", "and none of a class derived from it, not Mine"),
}


@pytest.mark.parametrize("body", SAMPLES)
def test_samples(cli: Cli, tmp_path: Path, body: str) -> None:
    file = task_file(tmp_path / "quiz.py", head="class Mine(Sample):\n    pass", samples=method("samples", body))
    line, wanted = SAMPLES[body]
    assert_only_the_quiz_failed(run_beside(cli, tmp_path, file), f"{file}:{line_of(file, line)}", wanted)


#: parts of a task -> the line that is named, and what is said, before anything is asked
CLASSES: list[tuple[dict[str, str], str, str]] = [
    ({"samples": ""}, "class Quiz", "class Quiz lacks samples, which every task"),
    ({"samples": method("sample", "yield 1")}, "class Quiz", "is sample for samples a slip?"),
    ({"score": "", "samples": ""}, "class Quiz", "lacks samples and score"),
    ({"base": "JudgedTask", "more": method("grades", "yield 1", "answers")}, "class Quiz", "is grades for grade a slip?"),
    ({"score": method("score", "return 1", "sample")}, "def score", "is called as score(self, sample, response), and takes"),
    ({"samples": method("samples", "yield 1", "split")}, "def samples", "missing a required argument: 'split'"),
    ({"samples": "\n    def samples():\n        yield 1\n"}, "def samples", "is called as samples(self), and takes ()"),
    ({"samples": "\n    samples = [1]\n"}, "samples = [1]", "samples of task Quiz must be a method, not [1]"),
    ({"samples": "\n    async def samples(self):\n        yield 1\n"}, "async def", "a plain method; take async away"),
    ({"samples": "\n    @property\n    def samples(self):\n        yield 1\n"}, "@property", "take @property away"),
    ({"score": method("score", "yield 1", "sample", "response")}, "def score", "must return what it has, not yield it"),
    ({"base": "JudgedTask", "more": method("grade", "yield 1", "answers")}, "def grade", "grade(self, answers, runs)"),
    ({"more": method("tally", "return {}")}, "def tally", "is called as tally(self, scores), and takes (self)"),
    ({"more": method("finish", "return scores", "scores")}, "def finish", "finish(self, samples, scores)"),
    ({"more": method("__init__", "pass")}, "def __init__", "must take protocol, data; leave it out"),
    ({"options": "shots: 'Many' = 3"}, "class Quiz", "name 'Many' is not defined; import it"),
    ({"metrics": ""}, "class Quiz", "task quiz has no metric; give it metrics = [Metric("),
    ({"metrics": "metrics: ClassVar = [Metric(None, sum)]"}, "metrics:", "a metric called None (NoneType)"),
    ({"metrics": "metrics: ClassVar = [Metric('a', 5)]"}, "metrics:", "whose formula is no function of counts but 5"),
    ({"metrics": "metrics: ClassVar = [share('a'), share('a')]"}, "metrics:", "two metrics called a"),
    ({"metrics": "metrics: ClassVar = [Metric(formula=sum)]"}, "metrics:", "missing 1 required positional argument: 'name'"),
    ({"name": ""}, "class Quiz", "must have a name of small letters"),
    ({"protocols": "protocols: ClassVar = ['v1']"}, "protocols:", "protocols of task quiz must be a dict"),
    ({"options": "tally: int = 1"}, "tally: int", "calls an option tally, which every task has"),
    ({"head": "import no_such_module"}, "import no_such", "install what provides it, mostly pip install no-such-module"),
    ({"head": "import no_such.sklearn"}, "import no_such", "mostly pip install no-such"),
    ({"head": "from mipha_eval.tasks.popo import Pope"}, "from mipha_eval.tasks.popo", "No module named"),
    ({"head": "sys.exit(0)"}, "sys.exit", "SystemExit(0), which is not for a plugin to do"),
    ({"head": "def f(:"}, "def f(:", "SyntaxError"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "line", "wanted"), CLASSES, ids=[wanted for _, _, wanted in CLASSES])
def test_classes_and_files(cli: Cli, tmp_path: Path, changed: dict[str, str], line: str, wanted: str) -> None:
    file = task_file(tmp_path / "quiz.py", **changed)
    outcome = run_beside(cli, tmp_path, file)
    assert_only_the_quiz_failed(outcome, f"{file}:{line_of(file, line)}", wanted)
    assert "the others go on" in outcome.err


FILES = {
    "": "defines neither a task nor a model",
    "from mipha_eval.tasks.pope import Pope\nQuiz = Pope\n": "defines neither a task nor a model",
    "class Quiz:\n    name = 'quiz'\n    def samples(self): yield 1\n": "derive it: class Quiz(Task) ",
    "class Yes:\n    def generate(self, batch): return []\n": "derive it: class Yes(ModelAdapter) ",
    "name = 'quiz'\0": "null bytes",
    "name = 'quäz'\n".encode("latin-1"): "SyntaxError",
}


@pytest.mark.parametrize("content", FILES, ids=list(FILES.values()))
def test_files_that_define_nothing(cli: Cli, tmp_path: Path, content: str | bytes) -> None:
    file = tmp_path / "quiz.py"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert_only_the_quiz_failed(run_beside(cli, tmp_path, file), str(file), FILES[content])
    listed = cli("list", "tasks", "--plugin", file, "--json")
    assert_told(listed, str(file), FILES[content])
    assert "gqa" in listed.json["tasks"]


def test_other_places_than_files(cli: Cli, tmp_path: Path) -> None:
    text = tmp_path / "quiz.txt"
    text.write_text("a quiz")
    assert_told(cli("list", "--plugin", tmp_path), str(tmp_path), "is a folder; name the Python file in it")
    assert_told(cli("list", "--plugin", text), str(text), "is not a Python file")
    assert_told(cli("list", "--plugin", tmp_path / "no.py"), str(tmp_path / "no.py"), "does not exist")


@pytest.mark.parametrize("head", [b"\xef\xbb\xbf", b"# -*- coding: latin-1 -*-\n# \xe4\n"], ids=["mark", "latin-1"])
def test_files_in_other_encodings(cli: Cli, tmp_path: Path, head: bytes) -> None:
    file = task_file(tmp_path / "quiz.py")
    file.write_bytes(head + file.read_bytes())
    listed = cli("list", "tasks", "--plugin", file, "--json")
    assert listed.code == 0, listed.err
    assert listed.json["tasks"]["quiz"] == "A quiz."


def test_names_that_two_have(cli: Cli, tmp_path: Path) -> None:
    first, second = task_file(tmp_path / "one.py"), task_file(tmp_path / "two.py")
    outcome = run_beside(cli, tmp_path, first, second)
    assert_told(outcome, f"{second}:{line_of(second, 'name:')}", f"a task quiz, as that of {first} is")
    assert [result["task"] for result in outcome.json["results"]] == ["gqa@demo"]
    assert cli("list", "--plugin", first, "--plugin", first).code == 0, "the same file twice is one"
    double = task_file(tmp_path / "double.py")
    double.write_text(double.read_text() + "\n\nclass Other(Quiz):\n    name: ClassVar = 'quiz'\n")
    assert_told(cli("list", "--plugin", double), str(double), "classes Quiz and Other are both called quiz")


def test_a_base_and_what_is_derived_from_it(cli: Cli, tmp_path: Path) -> None:
    """An abstract class is no slip where another completes it; nor are methods that the author's own code calls."""
    file = task_file(tmp_path / "quiz.py", score="", more=method("requests", "return 1"))
    derived = "\n\n@dataclass(frozen=True)\nclass Second(Quiz):\n" + method(
        "score",
        "return self.scored(sample, Reading('', 'r'), self.requests())",
        "sample",
        "response",
    )
    file.write_text(file.read_text() + derived + "    name: ClassVar = 'second'\n")
    outcome = run_beside(cli, tmp_path, file, tasks="gqa,second")
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize(("name", "arguments"), [("metric_for", ("totals",)), ("grade", ("answers", "runs"))])
def test_what_nothing_calls_is_told(cli: Cli, tmp_path: Path, name: str, arguments: tuple[str, ...]) -> None:
    file = task_file(tmp_path / "quiz.py", more=method(name, "return []", *arguments))
    outcome = run_beside(cli, tmp_path, file)
    assert outcome.code == 0
    (line,) = outcome.err.strip().splitlines()
    assert line.startswith(f"plugin quiz: nothing calls {name}; ")
    assert "metrics_for" in line or "JudgedTask" in line
    assert f"{file}:{line_of(file, f'def {name}')}" in line


def test_an_option_without_a_default_or_a_type(cli: Cli, tmp_path: Path) -> None:
    file = task_file(tmp_path / "quiz.py", more="\n    shots: int\n")
    run = ["run", "--tasks", "quiz", "--model", "constant", "--data", "demo", "-o", tmp_path / "runs", "--plugin"]
    assert_told(cli(*run, file), "task quiz needs -a quiz.shots=...")
    assert cli(*run, file, "-a", "quiz.shots=2").code == 0
    other = task_file(tmp_path / "other.py", more="\n    shots = 3\n")
    assert_told(cli(*run, other, "-a", "quiz.shots=2"), "shots has no type, write shots: TYPE = ... in its class")
    plain = task_file(tmp_path / "plain.py")
    source = (
        plain.read_text()
        .replace("@dataclass(frozen=True)\n", "")
        .replace("class Quiz(Task):", "class Quiz(Task):\n    x: int = 1")
    )
    plain.write_text(source)
    place = f"{plain}:{line_of(plain, 'x: int')}"
    assert_told(cli(*run, plain), place, "has an option x and is no dataclass; write @dataclass(frozen=True)")


SCORED: list[tuple[dict[str, str], str, str]] = [
    ({"score": method("score", "return None", "sample", "response")}, "def score", "gave for question 0 no Score but None"),
    ({"metrics": "metrics: ClassVar = [Metric('a', lambda totals: 1 / 0)]"}, "metrics:", "division by zero"),
    ({"metrics": "metrics: ClassVar = [Metric('a', lambda totals: totals['no'])]"}, "metrics:", "unknown count 'no'"),
    ({"metrics": "metrics: ClassVar = [Metric('a', lambda totals: [1])]"}, "metrics:", "gives no number"),
    ({"metrics": "metrics: ClassVar = [Metric('a', lambda totals: 200)]"}, "metrics:", "which is not from 0 to 100"),
    ({"more": method("odd_label", "return 5", "sample")}, "def odd_label", "must give a text"),
    ({"base": "JudgedTask", "more": method("grade", "return []", "answers", "runs")}, "def grade", "must be a generator"),
    ({"base": "JudgedTask", "more": method("grade", "1 / 0\nyield", "answers", "runs")}, "1 / 0", "ZeroDivisionError"),
    ({"base": "JudgedTask", "more": method("grade", "yield 'Right?'", "answers", "runs")}, "def grade", "asked 'Right?'"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "line", "wanted"), SCORED, ids=[wanted for _, _, wanted in SCORED])
def test_scoring(cli: Cli, tmp_path: Path, changed: dict[str, str], line: str, wanted: str) -> None:
    """What was answered is stored, and a mended file goes on from there."""
    file = task_file(tmp_path / "quiz.py", **changed)
    place = f"{file}:{line_of(file, line)}"
    assert_only_the_quiz_failed(run_beside(cli, tmp_path, file), place, wanted)
    task_file(file)
    sys.modules.pop(f"mipha_eval_plugin_{file.resolve()}")
    again = run_beside(cli, tmp_path, file)
    assert again.code == 0, again.err
    assert [result["generated"] for result in again.json["results"]] == [0, 0]


def test_further_verbs(cli: Cli, tmp_path: Path) -> None:
    answers = tmp_path / "answers.jsonl"
    answers.write_text(
        "".join(json.dumps({"question_id": n, "text": "Yes", "prompt": f"Question {n}?"}) + "\n" for n in range(4))
    )
    file = task_file(tmp_path / "quiz.py", more=method("core", "return None", "prompt"))
    scored = cli("score", "quiz", "--answers", answers, "--data", "demo", "--plugin", file)
    assert_told(scored, f"{file}:{line_of(file, 'def core')}", "core of quiz@demo must give a text, not None")
    other = task_file(tmp_path / "other.py", more=method("request", "return 'Why?'", "sample"))
    planned = cli("plan", "--tasks", "quiz,gqa", "--data", "demo", "--plugin", other, "--json")
    assert_told(planned, f"{other}:{line_of(other, 'def request')}", "must give a Request")
    assert [plan["task"] for plan in planned.json] == ["gqa@demo"], "the others are planned"
    broken = task_file(tmp_path / "broken.py", samples="")
    where = cli("data", "where", "--data", "demo", "--plugin", broken, "--json")
    assert_told(where, str(broken), "lacks samples")
    assert any(row["task"] == "gqa@demo" for row in where.json["tasks"])
    shown = task_file(tmp_path / "shown.py", score=method("score", "return None", "sample", "response"))
    assert "no Score but None" in cli("show", "task", "quiz", "--plugin", shown).out


YES = "[Response('Yes') for _ in batch]"
MODELS: list[tuple[dict[str, str], str, str]] = [
    ({"generate": method("generate", "pass", "batch")}, "def generate", "gave None (NoneType), no list of responses"),
    ({"generate": method("generate", "return ['Yes'] * len(batch)", "batch")}, "def generate", "as response 'Yes' (str)"),
    ({"generate": method("generate", "return [Response(None)] * len(batch)", "batch")}, "def generate", "text is no text"),
    ({"generate": method("generate", f"return {YES}[1:]", "batch")}, "def generate", "answered 3 of 4 requests"),
    ({"generate": method("generate", "return []")}, "def generate", "is called as generate(self, batch), and takes (self)"),
    ({"generate": method("generate", "yield Response('Yes')", "batch")}, "def generate", "not yield it"),
    ({"generate": method("generated", "return []", "batch")}, "class YesMan", "is generated for generate a slip?"),
    ({"more": method("respond", "return 'Yes'", "batch")}, "def respond", "gave 'Yes' (str), no list of responses"),
    ({"more": method("load", "self.weights = 1")}, "self.weights", "a task or model is a frozen dataclass"),
    ({"more": method("describe", "return {'a': {1}}")}, "def describe", "has under a what cannot be stored, {1} (set)"),
    ({"more": method("describe", "return {'a': float('nan')}")}, "def describe", "has under a what cannot be stored, nan"),
    ({"more": method("about", "return {'a': object()}")}, "def about", "about of model yes-man has under a"),
    ({"more": method("__init__", "pass", "path")}, "def __init__", "__init__ of model YesMan must take no argument"),
    ({"more": "\n    cost: int = 1\n"}, "cost: int", "calls an option cost, which every model has"),
    ({"more": "\n    word: 'Wrod' = None\n"}, "class YesMan", "name 'Wrod' is not defined"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "line", "wanted"), MODELS, ids=[wanted for _, _, wanted in MODELS])
def test_models(cli: Cli, tmp_path: Path, changed: dict[str, str], line: str, wanted: str) -> None:
    file = model_file(tmp_path / "yes.py", **changed)
    outcome = run_beside(cli, tmp_path, file, tasks="pope", model="yes-man")
    assert outcome.code == 2, outcome.err
    assert "Traceback" not in outcome.err
    last = outcome.err.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert f"{file}:{line_of(file, line)}" in last
    assert wanted in last


def test_a_cost_that_is_none_is_told_by_the_authors_line(cli: Cli, tmp_path: Path) -> None:
    file = model_file(tmp_path / "yes.py", more=method("cost", "return Cost(-5, 1)", "request"))
    outcome = run_beside(cli, tmp_path, file, tasks="gqa", model="yes-man")
    assert outcome.code == 0
    (line,) = outcome.err.strip().splitlines()
    assert "must give a Cost of two whole numbers, not Cost(shared=-5, own=1)" in line
    assert f"{file}:{line_of(file, 'def cost')}" in line


def test_a_model_that_cannot_be_closed_loses_nothing(cli: Cli, tmp_path: Path) -> None:
    file = model_file(tmp_path / "yes.py", more=method("close", "sys.exit(0)"))
    outcome = run_beside(cli, tmp_path, file, tasks="gqa", model="yes-man")
    assert outcome.code == 0
    assert outcome.json["results"][0]["n"] == 4
    assert f"{file}:{line_of(file, 'sys.exit(0)')}" in outcome.err


def test_a_broken_file_that_may_be_the_model_stops_at_once(cli: Cli, tmp_path: Path) -> None:
    """A file's model wins over the bundled one of its name, so that the bundled one must not answer in its place."""
    file = model_file(tmp_path / "own.py", name="name: ClassVar = 'constant'", head="import no_such_module")
    outcome = run_beside(cli, tmp_path, file, tasks="gqa")
    assert_told(outcome, f"{file}:{line_of(file, 'import no_such')}", "No module named 'no_such_module'")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("where", ["import", "samples", "score", "generate"])
def test_json_holds_nothing_that_a_plugin_prints(cli: Cli, tmp_path: Path, where: str) -> None:
    say = "print('hello')"
    task = task_file(
        tmp_path / "quiz.py",
        head=say if where == "import" else "",
        more=method("request", f"{say}\nreturn Request(sample.prompt)", "sample") if where == "samples" else "",
        score=method(
            "score",
            f"{say if where == 'score' else 'pass'}\nreturn self.scored(sample, Reading('', 'r'), 1)",
            "sample",
            "response",
        ),
    )
    model = model_file(
        tmp_path / "yes.py", generate=method("generate", f"{say if where == 'generate' else 'pass'}\nreturn {YES}", "batch")
    )
    outcome = run_beside(cli, tmp_path, task, model, model="yes-man")
    assert outcome.code == 0, outcome.err
    assert [result["task"] for result in outcome.json["results"]] == ["gqa@demo", "quiz@demo"]
    assert "hello" in outcome.err


def test_a_file_that_is_edited_while_it_runs(cli: Cli, tmp_path: Path) -> None:
    """Results are by the code that ran, and say so by its digest; the same command scores by the new code."""
    edit = "here = Path(__file__)\nhere.write_text(here.read_text().replace('), 1)  #', '), 0)  #'))\n"
    score = method("score", edit + "return self.scored(sample, Reading('', 'r'), 1)  # right", "sample", "response")
    file = task_file(tmp_path / "quiz.py", head="from pathlib import Path", score=score)
    outcome = run_beside(cli, tmp_path, file, tasks="quiz")
    assert outcome.code == 0, outcome.err
    assert outcome.json["results"][0]["metrics"] == {"accuracy": 100}
    assert "plugin quiz was edited meanwhile" in outcome.err
    record = Path(outcome.json["run"]) / "quiz@demo/task.json"
    first = read_json(record)["code"]
    sys.modules.pop(f"mipha_eval_plugin_{file.resolve()}")
    again = run_beside(cli, tmp_path, file, tasks="quiz")
    assert again.json["results"][0]["metrics"] == {"accuracy": 0}
    assert again.json["results"][0]["generated"] == 0
    assert read_json(record)["code"] != first
    assert "edited" not in again.err


def test_stock_questions_in_the_authors_terms(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "capitals.py"
    source = (
        "from mipha_eval.scoring.stock.exact import ExactTask\nfrom mipha_eval.scoring.stock.question import Question\n\n\n"
        "class Capitals(ExactTask):\n    name = 'capitals'\n    protocols = {'v1': 'one'}\n    own_data = True\n\n"
        "    def questions(self):\n        yield Question('Capital of France?', 'Paris')\n"
    )
    file.write_text(source)
    outcome = cli("run", "--tasks", "capitals", "--model", "constant", "-o", tmp_path / "runs", "--plugin", file)
    wanted = "question 1 of capitals@v1: answers must be a tuple of texts, not 'Paris' (str): write ('Paris',), with a comma"
    assert_told(outcome, f"{file}:10", wanted)


def judged_example(folder: Path) -> Path:
    """The judged benchmark of the page on plugins."""
    page = (ROOT / "docs/plugins.md").read_text().split("## A judged benchmark")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(code.splitlines()) <= 40
    file = folder / "reasons.py"
    file.write_text(code)
    return file


def test_the_judged_example_runs(cli: Cli, tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("MIPHA_EVAL_CALIBRATIONS", str(tmp_path))
    file = judged_example(tmp_path)
    run = ["run", "--tasks", "reasons", "--plugin", file, "--model", "constant", "-o", tmp_path / "runs", "--json", "-q"]
    alone = cli(*run)
    assert (alone.code, alone.err) == (3, ""), "nobody has judged"
    assert alone.json["results"][0]["metrics"] == {}
    assert "NOT JUDGED" in (Path(alone.json["run"]) / "report.md").read_text()
    grades = tmp_path / "grades.json"
    grades.write_text('{"ice": {"score": [1.0], "model": ["me"]}, "sky": {"score": [0.5], "model": ["me"]}}')
    recorded = cli(*run, "--grades", grades)
    assert recorded.code == 0, recorded.err
    assert recorded.json["results"][0]["metrics"] == {"grade[me]": 75}
    assert recorded.json["results"][0]["generated"] == 0, "the answers are there"
    server = serve(lambda prompt, before: Say("1" if "Why does ice float?" in prompt else "so so"))
    asked_now = cli(*run, "--judge", "m", "--judge-base-url", server.url)
    assert asked_now.code == 3, asked_now.err
    (result,) = asked_now.json["results"]
    assert (result["metrics"], result["n"]) == ({"grade[m]": 100}, 1), "one reply is none of the grades"
    planned = cli("plan", "--tasks", "reasons", "--plugin", file, "--judge", "m", "--judge-base-url", server.url, "--json")
    assert planned.json[0]["judge"]["calls"] == 2


def test_registries_tell_of_broken_files(tmp_path: Path) -> None:
    good, bad = task_file(tmp_path / "good.py"), task_file(tmp_path / "bad.py", head="1 / 0")
    registry = Registry([bad, good])
    assert "quiz" in registry.names("tasks")
    assert list(registry.broken) == [bad]


def test_options_that_are_not_ranked(cli: Cli, tmp_path: Path) -> None:
    """A text in place of likelihoods would be read as if a letter had been asked for."""
    file = tmp_path / "talker.py"
    file.write_text(
        "from mipha_eval import ModelAdapter, Response\n"
        "class Talker(ModelAdapter):\n"
        "    name = 'talker'\n"
        "    def generate(self, batch):\n"
        "        return [Response('A') for _ in batch]\n"
        "    def respond(self, batch):\n"
        "        return [Response('A') for _ in batch]\n"
    )
    run = ["run", "--tasks", "seed@demo-ppl", "--data", "demo", "--limit", 8, "-o", tmp_path]
    done = cli(*run, "-m", "talker", "--plugin", file)
    assert done.code in (2, 3)
    assert "no likelihoods" in done.err
    assert str(file) in done.err
