"""Benchmarks without code: a table of questions in any form, scored by a stock scorer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, Value

from mipha_eval import UserError, evaluate, score_again
from mipha_eval.core.plugins.references import Reference, is_reference
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.task import Task
from mipha_eval.data.parse_source import parse_source
from tests.conftest import Cli, Said
from tests.judge_server import Say, Serve
from tests.question_tables import COLOURS, FORMS, draw, held, picture, rows, write_jsonl


def task_of(name: str, data: str = "demo") -> Task:
    return build_task(name, {}, parse_source(data, {}), Registry())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw(tmp_path)
    return tmp_path


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_benchmark(folder: Path, form: str) -> None:
    """Ids, prompts, labels, categories and the pictures' bytes, against the rows as they were written."""
    task = task_of(FORMS[form](folder))
    samples = list(task.samples())
    line = "Answer the question using a single word or phrase."
    assert task.label == "colours@exact"
    assert [(sample.id, sample.prompt, sample.target, sample.category) for sample in samples] == [
        (row["id"], f"{row['question']}\n{line}", (row["answer"],), row["category"]) for row in rows()
    ]
    seen = [hashlib.sha256(image.read()).digest() for sample in samples for image in sample.images]
    assert seen == [hashlib.sha256(picture(Path(row["image"]).stem)).digest() for row in rows()]
    # the two questions about a picture share its name, or nothing would be shared between them
    assert len({image.location for sample in samples for image in sample.images}) == len(COLOURS)
    assert list(task.samples()) == samples


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_from_a_file_to_a_number(cli: Cli, folder: Path, form: str) -> None:
    """The share of the answers that are 'red', by hand; stored, scored again without the table, and reported."""
    name = FORMS[form](folder)
    run = ["run", "--tasks", name, "--model", "constant", "-a", "answer=Red.", "-o", folder / "runs"]
    found = cli(*run, "--json").json
    (result,) = found["results"]
    assert (result["task"], result["n"]) == ("colours@exact", 10)
    assert result["metrics"] == {"accuracy": 10.0, "colour": 20.0, "count": 0.0}
    for path in folder.glob("colours.*"):
        path.unlink()
    again = cli("score", found["run"], "--json").json
    assert again["metrics"] == result["metrics"]
    assert "colours@exact" in cli("report", found["run"]).out
    assert cli("view", found["run"], "-o", folder / "page.html").code == 0


def test_many_models(cli: Cli, folder: Path) -> None:
    """A process a model, to which a table is named as it was."""
    name = FORMS["csv"](folder)
    listed = folder / "models.toml"
    entry = '[[model]]\nmodel = "constant"\noptions = { answer = "%s" }\n'
    listed.write_text("".join(entry % answer for answer in ("yes", "no")), encoding="utf-8")
    run = ["run", "--models", listed, "--tasks", f"{name},pope@demo", "--data", "demo", "--limit", 10, "-o", folder / "runs"]
    done = cli(*run)
    assert done.code == 0, done.err
    assert "| Method | colours@exact | pope@demo |" in done.out
    assert "0 questions to ask" in cli(*run, "--plan").out


def test_python_users_name_it_likewise(folder: Path) -> None:
    name = FORMS["jsonl"](folder)
    run = evaluate("constant", f"{name}?question=question", data="demo", output=folder / "runs", options={"answer": "blue"})
    assert run["colours@exact"].summary.metrics["accuracy"] == 10.0
    (again,) = score_again(run)
    assert again.summary.metrics == run["colours@exact"].summary.metrics


def test_columns_of_other_names(cli: Cli, folder: Path) -> None:
    table = write_jsonl(folder / "odd.jsonl", [{"query": row["question"], "label": row["answer"]} for row in rows()])
    flags = ["--columns", "question=query,answer=label", "--model", "constant", "-a", "answer=red", "-o", folder / "r"]
    assert cli("run", "--tasks", f"jsonl:{table}", *flags, "--json").json["results"][0]["metrics"]["accuracy"] == 10.0
    lacking = cli("run", "--tasks", f"jsonl:{table}", *flags[2:])
    assert lacking.code == 2
    assert "has no column answer, but query, label" in lacking.err
    wrong = cli("run", "--tasks", f"jsonl:{table}", "--columns", "question=querry,answer=label", *flags[2:])
    assert wrong.code == 2
    assert "did you mean query?" in wrong.err
    none = cli("run", "--tasks", "pope", "--kind", "short")
    assert none.code == 2
    assert "no task is one" in none.err


def test_mixed_with_bundled_tasks_and_scored_from_a_file(cli: Cli, folder: Path) -> None:
    """A run holds tables beside benchmarks; answers of another suite are scored against a table."""
    name = FORMS["jsonl"](folder)
    both = cli("run", "--tasks", f"{name},pope", "--limit", 20, "-o", folder / "r", "--json").json
    assert [result["task"] for result in both["results"]] == ["colours@exact", "pope@demo"]
    assert [result["task"] for result in cli("score", both["run"], "--json").json] == ["colours@exact", "pope@demo"]
    answers = write_jsonl(folder / "answers.jsonl", [{"question_id": row["id"], "text": row["answer"]} for row in rows()])
    scored = cli("score", name, "--answers", answers, "--json").json
    assert (scored["metrics"]["accuracy"], scored["n"]) == (100.0, 10)


SIDECAR = """
name = "shades"
about = "Colours of squares"
protocol = "v2"
kind = "short"
prompt = "Q: {stem} ({hint}) A:"
max_new_tokens = 7
metrics = ["accuracy"]
licence = "CC0-1.0"
citation = "arXiv:0000.00000"
[columns]
question = "query"
"""


def test_a_sidecar_says_what_the_benchmark_is(cli: Cli, folder: Path) -> None:
    found = [{"query": row["question"], "answer": row["answer"], "hint": row["category"], "category": "a"} for row in rows()]
    name = str(write_jsonl(folder / "colours.jsonl", found))
    (folder / "colours.toml").write_text(SIDECAR, encoding="utf-8")
    task = task_of(name)
    first = next(iter(task.samples()))
    assert (task.label, task.licence, task.citation) == ("shades@v2", "CC0-1.0", "arXiv:0000.00000")
    assert (first.prompt, task.request(first).decoding.max_new_tokens) == ("Q: What colour? (colour) A:", 7)
    (result,) = cli("run", "--tasks", name, "--model", "constant", "-o", folder / "r", "--json").json["results"]
    assert list(result["metrics"]) == ["accuracy"]
    # another scorer is another protocol, and not the author's
    assert [task_of(f"{name}?scorer={scorer}").label for scorer in ("exact", "contains")] == [
        "shades@v2",
        "shades@v2-contains",
    ]
    (folder / "colours.toml").write_text(SIDECAR + "[options]\nnothing = 1\n", encoding="utf-8")
    with pytest.raises(UserError, match="unknown option 'nothing'"):
        task_of(name)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("kinds = 'short'", "unknown field 'kinds'; did you mean kind"),
        ("kind = 'long'", "is damaged"),
        ("prompt = '{questoin}'", "unknown variable 'questoin'"),
        ("prompt = 'Say it:'", "has no {question}"),
        ("metrics = ['acuracy']", "unknown metric 'acuracy'"),
        ("name = 'Two Words'", "must be small letters"),
        ("name = ", "cannot read"),
        ("scorer = 'exacto'", "unknown scorer 'exacto'; did you mean exact"),
    ],
)
def test_a_sidecar_that_cannot_be(cli: Cli, folder: Path, text: str, wanted: str) -> None:
    name = FORMS["jsonl"](folder)
    (folder / "colours.toml").write_text(text, encoding="utf-8")
    outcome = cli("run", "--tasks", name, "-o", folder / "r")
    assert outcome.code == 2
    assert wanted in outcome.err
    assert outcome.err.splitlines()[-1].count("error") == 1


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"image": "https://example.org/a.png"}, "is an address"),
        ({"image": 3}, "neither the name of a file"),
        ({"answer": {"a": 1}}, "is no text"),
        ({"answer": ""}, ""),
        ({"question": ["a"]}, "is no text"),
        ({"choices": "red, green"}, "are no list"),
        ({"image": "[images"}, "is no JSON"),
    ],
)
def test_a_row_that_cannot_be_is_named(cli: Cli, folder: Path, change: dict[str, Any], wanted: str) -> None:
    """With file and line; an empty answer is a question without a public label."""
    found = [*rows()[:3], {**rows()[3], **change}]
    name = str(write_jsonl(folder / "colours.jsonl", found))
    outcome = cli("run", "--tasks", f"{name}?kind=short", "--model", "constant", "-o", folder / "r", "--json")
    if not wanted:
        assert outcome.json["results"][0]["unlabelled"] == 1
        return
    assert outcome.code == 2
    assert "colours.jsonl:4 is not in the expected form: " in outcome.err
    assert wanted in outcome.err


def test_pictures_stay_within_the_folder(cli: Cli, folder: Path) -> None:
    """Names of files are untrusted: what leads out of the folder fails, unless --image-dir says where pictures are."""
    inner = folder / "inner"
    inner.mkdir()
    outside = [
        {**rows()[0], "image": str(folder / "images/red.png")},
        {**rows()[1], "id": "x", "image": "../images/red.png"},
    ]
    inside = [{**row, "image": "own.png"} for row in rows()[2:4]]
    (inner / "own.png").write_bytes(picture("red"))
    name = str(write_jsonl(inner / "colours.jsonl", [*outside, *inside]))
    run = ["run", "--tasks", f"{name}?kind=short", "-o", folder / "r", "--json"]
    outcome = cli(*run)
    assert outcome.code == 3
    assert (outcome.json["results"][0]["n"], outcome.json["results"][0]["failed"]) == (2, 2)
    assert "leads out of" in json.dumps(outcome.json["results"][0]["failures"])
    moved = write_jsonl(inner / "colours.jsonl", [{**row, "image": Path(row["image"]).name} for row in rows()])
    with_folder = cli("run", "--tasks", moved, "--image-dir", f"colours={folder / 'images'}", "-o", folder / "r2", "--json")
    assert (with_folder.code, with_folder.json["results"][0]["failed"]) == (0, 0)


def test_a_changed_row_is_asked_anew(cli: Cli, folder: Path) -> None:
    name = FORMS["jsonl"](folder)
    run = ["run", "--tasks", name, "--model", "constant", "-a", "answer=red", "-o", folder / "r", "--json"]
    first = cli(*run).json
    changed = [{**row, "question": "Which colour?", "answer": "red"} if row["id"] == "c1" else row for row in rows()]
    write_jsonl(folder / "colours.jsonl", changed)
    second = cli(*run).json
    assert second["run"] == first["run"]
    assert (second["results"][0]["generated"], second["results"][0]["metrics"]["accuracy"]) == (1, 20.0)


@pytest.mark.parametrize(
    ("found", "label"),
    [
        ([{"question": "Red?", "answer": "Yes"}, {"question": "Blue?", "answer": "no"}], "t@yesno"),
        ([{"question": "Red?", "answer": True}, {"question": "Blue?", "answer": False}], "t@yesno"),
        ([{"question": "Which?", "answer": "A", "choices": ["red", "blue"]}], "t@choice"),
        ([{"question": "Which?", "answer": "A", "A": "red", "B": "blue"}], "t@choice"),
        ([{"question": "Which?", "answer": ["red"]}], "t@exact"),
        ([{"question": "Which?", "answer": ["red"] * 10}], "t@vqa"),
        ([{"image": "a.png", "answer": ["A red square on a white ground."]}], "t@caption"),
        ([{"question": "Why?", "answer": "Because the light is reflected by its surface."}], "t@judge"),
    ],
)
def test_the_kind_is_inferred_and_said(tmp_path: Path, said: Said, found: list[dict[str, Any]], label: str) -> None:
    name = str(write_jsonl(tmp_path / "t.jsonl", found))
    assert task_of(name).label == label
    lines = said()
    assert "by its first rows" in lines
    assert f"scored by {label.partition('@')[2]}" in lines


def test_names(tmp_path: Path, cli: Cli) -> None:
    """A table's task is called by its file, and never as a bundled task is."""
    found = [{"question": "Which?", "answer": "red"}]
    assert task_of(str(write_jsonl(tmp_path / "My Questions (2).jsonl", found))).label == "my-questions-2@exact"
    (tmp_path / "Maps").mkdir()
    for stem in ("questions", "test", "metadata"):
        assert task_of(str(write_jsonl(tmp_path / f"Maps/{stem}.jsonl", found))).label == "maps@exact"
    write_jsonl(tmp_path / "maps.jsonl", found)
    both = cli("run", "--tasks", f"{tmp_path}/maps.jsonl,{tmp_path}/Maps/test.jsonl", "-o", tmp_path / "r")
    assert both.code == 2
    assert "are both called maps@exact" in both.err
    name = str(write_jsonl(tmp_path / "pope.jsonl", found))
    outcome = cli("run", "--tasks", name, "-o", tmp_path / "r")
    assert outcome.code == 2
    assert "there is a task called pope already" in outcome.err
    assert task_of(f"{name}?name=my-pope").label == "my-pope@exact"
    for text in ("jsonl:missing.jsonl", f"csv:{name}", "jsonl:", f"{name}?kid=short", f"{name}?kind", "hub:nobody"):
        wrong = cli("run", "--tasks", text, "-o", tmp_path / "r")
        assert (wrong.code, len(wrong.err.strip().splitlines())) == (2, 1), text
    assert cli("run", "--tasks", tmp_path / "My Questions (2).jsonl", "--model", "constant", "-o", tmp_path / "r").code == 0


def test_the_hub_through_a_mirror(cli: Cli, folder: Path) -> None:
    """A dataset of anybody's, by its columns."""
    FORMS["parquet"](folder)
    place = folder / "mirror/me/mine/data"
    place.mkdir(parents=True)
    (folder / "colours.parquet").rename(place / "test-00000-of-00001.parquet")
    flags = ["--data", f"hub:{folder / 'mirror'}", "--model", "constant", "-a", "answer=green", "-o", folder / "r", "--json"]
    (result,) = cli("run", "--tasks", "hub:me/mine", *flags).json["results"]
    assert (result["task"], result["metrics"]["colour"]) == ("mine@exact", 20.0)
    wrong = cli("run", "--tasks", "hub:me/mine?split=dev", *flags)
    assert wrong.code == 2
    assert "me/mine cannot be opened" in wrong.err


def test_references_survive_being_written() -> None:
    for text in ("a.jsonl", "jsonl:a.jsonl?answer=the+label&kind=choice", "hub:me/mine?split=test"):
        assert is_reference(text)
        assert Reference.of(str(Reference.of(text))) == Reference.of(text)
    assert not any(map(is_reference, ("pope", "seed@ppl", "pope@llava+politely", "mipha.v1")))
    assert Reference.of("a.csv?kind=short").updated({"kind": "choice", "answer": "x y"}).settings == {
        "kind": "choice",
        "answer": "x y",
    }


def test_base64_is_no_name(folder: Path) -> None:
    """A name without a full stop looks like base64, and is none."""
    (folder / "images/abcd").write_bytes(picture("red"))
    table = write_jsonl(folder / "t.jsonl", [{"image": "images/abcd", "question": "?", "answer": "a"}])
    (sample,) = task_of(str(table)).samples()
    assert sample.images[0].read() == picture("red")
    assert len(held(rows()[0])) > 64


def test_other_questions_under_one_name_are_told(cli: Cli, folder: Path) -> None:
    """A table that was changed, or another of that name: a footnote in a report, and no rank; compared by no tests."""
    name = FORMS["jsonl"](folder)
    run = ["run", "--tasks", name, "--model", "constant", "-o", folder / "r", "--json"]
    first = cli(*run, "-a", "answer=red").json["run"]
    same = cli(*run, "-a", "answer=blue").json["run"]
    write_jsonl(folder / "colours.jsonl", rows()[:4])
    other = cli(*run, "-a", "answer=green").json["run"]
    assert "other questions" not in cli("report", first, same).out
    assert "other questions than those of constant" in cli("report", first, same, other).out


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("t.csv", "question,answer\nWhat?,a\n,\nWhich?,b\n", ""),
        ("t.csv", "question,answer\nWhat?,a\nWhich?\n", "t.csv:3 is not in the expected form: it has 1 cells"),
        ("t.csv", 'question,answer\nWhat?,a\n"Which?,b\nWho?,c\n', "t.csv:3 is not in the expected form: it has a quote"),
        ("t.csv", 'question,answer\nWhat?,a\n"Which?,b\nWho?,d\nX?",c\n', "is there a stray quote before? "),
        (
            "t.jsonl",
            '{"question": null, "answer": "a"}\n{"question": "b?", "answer": "b"}\n',
            "t.jsonl:1 is not in the expected form: it has no question",
        ),
        (
            "t.jsonl",
            '{"question": "a?", "answer": "a", "img": "a.png"}\n',
            "column img holds pictures, which nobody is shown",
        ),
        ("t.jsonl", '{"question": "a?", "answer": "a", "Category": "b"}\n', "columns that are not read: Category"),
        (
            "t.jsonl",
            "".join(f'{{"question": "{answer}?", "answer": "{answer}"}}\n' for answer in ("yes", "no", "on")),
            "2 of 3 answers are yes or no, and 'on' is neither",
        ),
    ],
)
def test_what_a_careless_author_hears(cli: Cli, tmp_path: Path, name: str, text: str, wanted: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    done = cli("run", "--tasks", tmp_path / name, "--model", "constant", "-o", tmp_path / "r", "--json")
    assert wanted in done.err
    assert done.code == (2 if "expected form" in wanted else 0), done.err
    if not wanted:
        assert done.json["results"][0]["n"] == 2


def test_a_folder_or_a_plugin_in_place_of_a_name(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FORMS["jsonl"](folder)
    (folder / "plugin.py").write_text("", encoding="utf-8")
    monkeypatch.chdir(folder.parent)
    assert f"name that as ./{folder.name}" in cli("run", "--tasks", folder.name).err
    monkeypatch.chdir(folder)
    assert "plugin.py is a plugin's file" in cli("run", "--tasks", "plugin.py").err


PLAIN = {"question": "?", "answer": "a"}


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ([{"question": "Which?", "answer": "B", "choices": {"B": "dog", "A": "cat"}}], (("cat", "dog"), "B")),
        ([{"question": "Which?", "answer": "C", "choices": {"A": "x", "C": "y", "D": "z"}}], (("x", "", "y", "z"), "C")),
        ([{"question": "Which?", "answer": "dog", "A": "cat", "B": "dog", "N": "7", "Y": "note"}], (("cat", "dog"), "B")),
        ([{"question": "Which?", "answer": "D", "A": "a", "B": "b", "D": "d", "E": "e"}], "neither a letter"),
        ([{"question": "Which?", "answer": "A", "choices": {"1": "cat", "2": "dog"}}], "no letter from A to Z"),
        ([PLAIN, {**PLAIN, "choices": ["a", "b"]}], "it has 0 options"),
        ([*[PLAIN] * 1000, {**PLAIN, "image": "a.png"}], "column image holds"),
        ([{**PLAIN, "image": "a"}, {**PLAIN, "images": ["b"]}], "column images"),
        ([{"question": "?", "answer": float("nan")}], ()),
    ],
)
def test_options_and_columns_are_never_guessed(tmp_path: Path, found: list[dict[str, Any]], wanted: object) -> None:
    name = str(write_jsonl(tmp_path / "t.jsonl", found))
    if isinstance(wanted, str):
        with pytest.raises(UserError, match=wanted):
            list(task_of(name).samples())
        return
    *_, last = task_of(f"{name}?kind=short" if wanted == () else name).samples()
    assert (last.choices, last.target[0]) == wanted if wanted else last.target == ()


def test_classes_of_the_hub_are_named(tmp_path: Path) -> None:
    kinds = Features({"question": Value("string"), "answer": ClassLabel(names=["no", "yes"])})
    Dataset.from_dict({"question": ["Red?", "Blue?"], "answer": [1, 0]}, features=kinds).to_parquet(
        str(tmp_path / "t.parquet")
    )
    task = task_of(f"{tmp_path}/t.parquet")
    assert (task.label, [sample.target for sample in task.samples()]) == ("t@yesno", [("yes",), ("no",)])


def test_an_incomplete_question_is_not_right(cli: Cli, tmp_path: Path) -> None:
    """Circular: with one rotation unanswered nobody knows whether all are right."""
    found = [{"id": each, "question": "Which?", "answer": "A", "choices": ["cat", "dog"]} for each in ("a", "b")]
    name = f"{write_jsonl(tmp_path / 't.jsonl', found)}?scorer=circular"
    texts = {"a": "A", "a#1": "B", "b": "A"}
    answers = write_jsonl(tmp_path / "a.jsonl", [{"question_id": each, "text": text} for each, text in texts.items()])
    done = cli("score", name, "--answers", answers, "--json")
    assert (done.json["missing"], done.json["metrics"]["accuracy"], done.json["n"]) == (1, 100.0, 3)
    texts["a#1"] = "A"
    write_jsonl(answers, [{"question_id": each, "text": text} for each, text in texts.items()])
    assert cli("score", name, "--answers", answers, "--json").json["metrics"]["accuracy"] == 0.0


def test_a_folder_of_pictures_by_either_spelling(folder: Path) -> None:
    table = write_jsonl(folder / "my-tab.jsonl", [{"question": "?", "answer": "a", "image": "red.png"}])
    source = parse_source("demo", {"my_tab": folder / "images"})
    (sample,) = build_task(str(table), {}, source, Registry()).samples()
    assert sample.images[0].read() == picture("red")


def test_a_judged_score_is_not_lost_when_the_run_goes_on_without_its_judge(cli: Cli, tmp_path: Path, serve: Serve) -> None:
    found = [{"question": f"Why {number}?", "answer": "Because of the light that it reflects."} for number in range(3)]
    run = ["run", "--tasks", write_jsonl(tmp_path / "why.jsonl", found), "-m", "constant", "-o", tmp_path / "r", "--json"]
    url = serve(lambda prompt, asked: Say("yes")).url
    judged = cli(*run, "--judge", "fake", "--judge-base-url", url).json
    assert judged["results"][0]["metrics"] == {"accuracy[fake]": 100.0}
    assert "| 100.00" in cli("report", judged["run"]).out
    assert cli(*run).json["results"][0]["metrics"] == {}
    assert "| 100.00" in cli("report", judged["run"]).out


def test_compare_tells_other_definitions(cli: Cli, folder: Path) -> None:
    """How long an answer may be is the table's; another rule is nothing to compare with."""
    name = FORMS["jsonl"](folder)
    runs = []
    for number, text in enumerate(
        ("protocol = 'v1'", "protocol = 'v1'\nmax_new_tokens = 3", "protocol = 'v1'\nscorer = 'contains'")
    ):
        (folder / "colours.toml").write_text(text, encoding="utf-8")
        run = ["run", "--tasks", name, "-m", "constant", "-a", f"answer={COLOURS[number]}", "-o", folder / "r", "--json"]
        runs.append(cli(*run).json["run"])
    assert "max_new_tokens=3, not None" in cli("compare", runs[0], runs[1]).out
    other = cli("compare", runs[0], runs[2])
    assert "scored by exact and by contains" in other.out + other.err
