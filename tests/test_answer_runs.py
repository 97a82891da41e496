"""Answer files stand beside runs: compared, tabulated and shown as the same answers of a run are, and never stale."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from math import comb
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.runs import answer_run
from mipha_eval.runs.score import score_questions
from mipha_eval.runs.task_result import Result
from tests.conftest import Cli, Outcome, read_json, read_jsonl, write_jsonl
from tests.page_runs import Made, make_run

ASKED = ("--task", "pope", "--data", "demo")
#: how the run of A.jsonl is called
STORED = "A.jsonl.pope@demo"


def drawn(seed: int, sample: Sample) -> float:
    return random.Random(f"{seed} {sample.prompt} {sample.images[0].name}").random()


def rows_of(task: str, seed: int, right: float) -> list[dict[str, Any]]:
    """LLaVA's lines for the demo, so many of them right; what is asked twice has one answer, as of a model."""
    other = {"yes": "no", "no": "yes"}
    built = build_task(task, {}, parse_source("demo", {}), Registry())
    told = [(sample, sample.target[0].lower()) for sample in read_samples(built)]
    return [
        {
            "question_id": sample.question_id,
            "prompt": sample.prompt,
            "text": label if drawn(seed, sample) < right else other.get(label, "?"),
        }
        for sample, label in told
    ]


@pytest.fixture(scope="module")
def rows() -> Mapping[str, list[dict[str, Any]]]:
    return {"A": rows_of("pope", 1, 0.9), "B": rows_of("pope", 2, 0.84)}


@pytest.fixture(scope="module")
def answered(rows: Mapping[str, list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose model gives the answers of B."""
    asked = iter(rows["B"])
    return make_run(tmp_path_factory.mktemp("run"), Made(["pope"], 1), lambda *_: {"text": next(asked)["text"]})


@pytest.fixture
def files(rows: Mapping[str, list[dict[str, Any]]], tmp_path: Path) -> tuple[Path, Path]:
    first, second = (write_jsonl(tmp_path / f"{name}.jsonl", own) for name, own in rows.items())
    return first, second


def refused(outcome: Outcome, *words: str) -> None:
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert all(word in outcome.err for word in words), outcome.err


def test_a_file_and_a_run_of_the_same_answers_compare_alike(cli: Cli, files: tuple[Path, Path], answered: Path) -> None:
    first, second = files
    of_files = cli("compare", first, second, *ASKED, "--json").json
    mixed = cli("compare", first, answered, "--json").json  # the run says the task and the data
    ours = [row["text"] == label for row, label in zip(read_jsonl(first), labels(first), strict=True)]
    others = [row["text"] == label for row, label in zip(read_jsonl(second), labels(second), strict=True)]
    gained = sum(new and not old for old, new in zip(ours, others, strict=True))
    lost = sum(old and not new for old, new in zip(ours, others, strict=True))
    for found in (of_files, mixed):
        (pair,) = found["pairs"]
        assert (len(pair["flips"]["gained"]), len(pair["flips"]["lost"])) == (gained, lost)
        assert found["runs"][0]["name"] == "A"
    assert of_files["pairs"] == mixed["pairs"]
    same = cli("compare", second, answered, "--json").json["pairs"][0]
    assert (same["differences"][0]["difference"], same["flips"]["gained"], same["flips"]["lost"]) == (0, [], [])


def test_a_variable_does_not_take_the_place_of_the_data_of_the_run_beside_a_file(
    cli: Cli, files: tuple[Path, Path], answered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIPHA_EVAL_DATA", "/nowhere")
    assert cli("compare", files[0], answered).code == 0
    refused(cli("compare", files[0], answered, "--data", "/none"), "/none")
    refused(cli("compare", *files, "--task", "pope"), "/nowhere")  # where no run says it, it is taken
    monkeypatch.setenv("MIPHA_EVAL_DATA", "demo")
    assert cli("compare", *files, "--task", "pope").code == 0


def test_tables_beside_runs_are_none_of_them(cli: Cli, files: tuple[Path, Path], answered: Path) -> None:
    """As a shell's ``*`` gives them."""
    tables = [answered.parent / name for name in ("models.md", "models.tex")]
    for table in tables:
        table.write_text("a table")
    found = cli("report", answered, *tables, "--format", "json")
    assert (found.code, len(found.json["groups"])) == (0, 1)
    assert "models.md is a table of runs, and left out" in found.err
    assert cli("compare", answered, files[1], *tables).code == 0
    refused(cli("report", tables[0]), "models.md")


def first_cell(report: Outcome) -> dict[str, Any]:
    """The first row's first number, of JSON that stands alone on standard output."""
    return next(iter(report.json["groups"][0]["rows"][0]["cells"].values()))


def labels(file: Path) -> list[str]:
    samples = read_jsonl(file.with_name(f"{file.name}.pope@demo") / "pope@demo" / "samples.jsonl")
    return [sample["target"][0].lower() for sample in samples]


def test_the_numbers_of_score_stand_in_tables_and_pages(cli: Cli, files: tuple[Path, Path], tmp_path: Path) -> None:
    scored = cli("score", "pope", "--answers", files[0], "--data", "demo", "--json").json
    cell = first_cell(cli("report", files[0], *ASKED, "--format", "json"))
    assert (cell["value"], [cell["low"], cell["high"]]) == (scored["metrics"]["f1"], scored["intervals"]["f1"])
    again = cli("score", tmp_path / STORED, "--json").json
    stored = read_json(tmp_path / STORED / "pope@demo" / "result.json")
    assert {key: again[key] for key in scored} == {key: stored[key] for key in scored} == scored
    assert cli("view", *files, *ASKED, "-o", tmp_path / "view.html").code == 0
    page = (tmp_path / "view.html").read_text()
    assert "B.jsonl" in page
    assert "data:image" in page  # the demo's pictures
    assert cli("leaderboard", *files, *ASKED, "-o", tmp_path / "site").code == 0
    assert len(list((tmp_path / "site" / "runs").iterdir())) == 2


def test_nothing_is_scored_twice_and_nothing_is_stale(
    cli: Cli, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scored: list[Path] = []

    def counted(task: Task, samples: Sequence[Sample], file: Path, *, subset: bool) -> Result:
        scored.append(file)
        return score_questions(task, samples, file, subset=subset)

    monkeypatch.setattr(answer_run, "score_questions", counted)

    def value() -> float:
        return float(first_cell(cli("report", files[0], *ASKED, "--format", "json"))["value"])

    before = value()
    assert value() == before
    assert scored == [files[0]]
    rows = read_jsonl(files[0])
    write_jsonl(files[0], [{**row, "text": "yes"} for row in rows])
    assert value() != before
    write_jsonl(files[0], rows)
    (tmp_path / STORED / "pope@demo" / "result.json").unlink()  # as if it had been stopped
    assert value() == before
    monkeypatch.setattr(answer_run, "scorer_digest", lambda _: "other code")
    assert value() == before
    assert scored == [files[0]] * 4


def test_files_of_one_name(cli: Cli, rows: Mapping[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    paths = [write_jsonl(tmp_path / folder / "answers.jsonl", own) for folder, own in zip("xy", rows.values(), strict=True)]
    assert [run["name"] for run in cli("compare", *paths, *ASKED, "--json").json["runs"]] == ["x/answers", "y/answers"]
    packed = tmp_path / "x" / "answers.jsonl.gz"
    packed.write_bytes(gzip.compress(paths[0].read_bytes()))
    kept = tmp_path / "kept"
    found = cli("compare", *paths, packed, *ASKED, "--answer-runs", kept, "--json").json
    names = [run["name"] for run in found["runs"]]
    assert len(set(names)) == 3
    assert all("answers" in name for name in names)
    assert len(list(kept.iterdir())) == 3
    assert found["pairs"][1]["differences"][0]["difference"] == 0


def test_what_weakens_a_score_stands_beside_it(cli: Cli, files: tuple[Path, Path]) -> None:
    whole = read_jsonl(files[0])
    write_jsonl(files[0], [{"question_id": row["question_id"], "text": row["text"]} for row in whole[:-7]])
    told = cli("compare", *files, *ASKED)
    assert told.code == 0
    assert "MISSING 7" in told.out
    assert f"UNVERIFIED {len(whole) - 7}" in told.out.replace(",", "")
    gate = cli("compare", files[1], files[0], *ASKED, "--fail-on-regression")
    assert gate.code == 4
    assert "lost" in gate.out


def test_a_folder_of_answers_and_several_tasks(cli: Cli, files: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    files[1].rename(folder / "part.jsonl")
    mme = write_jsonl(tmp_path / "M.jsonl", rows_of("mme", 3, 0.8))
    refused(cli("report", files[0], mme, "--task", "pope", "--task", "mme", "--data", "demo"), "several tasks", "TASK=")
    made = cli("report", f"pope={files[0]}", f"mme={mme}", "--data", "demo", "--format", "json").json
    assert [column["task"] for column in made["columns"]] == ["pope@demo", "mme@demo"]
    refused(cli("report", folder, *ASKED), "mine is a folder without answer files")
    refused(cli("view", folder), str(folder), "no run folder")


def test_no_task_is_guessed(cli: Cli, files: tuple[Path, Path]) -> None:
    for verb in ("compare", "report", "view"):
        refused(cli(verb, *files), "A.jsonl", "say to which task", "--task")
    refused(cli("report", *files, "--task", "popp", "--data", "demo"), "popp", "pope")
    refused(cli("compare", files[0], "pope=missing.jsonl", *ASKED), "missing.jsonl does not exist")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text.replace("}", "", 1), ["A.jsonl"]),
        (lambda text: text.replace("Is there a", "Is this the last", 1), ["A.jsonl", "question"]),
    ],
)
def test_damaged_and_foreign_files(
    damage: Callable[[str], str], words: list[str], cli: Cli, files: tuple[Path, Path], tmp_path: Path
) -> None:
    files[0].write_text(damage(files[0].read_text()))
    refused(cli("compare", *files, *ASKED), *words)
    assert not (tmp_path / STORED).exists()


def test_another_benchmarks_answers(cli: Cli, files: tuple[Path, Path]) -> None:
    refused(cli("compare", *files, "--task", "mme", "--data", "demo"), "A.jsonl")


def test_where_a_run_cannot_be_kept(cli: Cli, files: tuple[Path, Path], tmp_path: Path) -> None:
    long = files[0].rename(tmp_path / f"{'a' * 245}.jsonl")  # a name that has no room for more
    refused(cli("report", long, *ASKED), "cannot", "--answer-runs")
    (tmp_path / "B.jsonl.pope@demo").mkdir()
    (tmp_path / "B.jsonl.pope@demo" / "mine.txt").write_text("keep")
    refused(cli("report", files[1], *ASKED), "B.jsonl.pope@demo is in the way", "--answer-runs")
    assert cli("report", files[1], *ASKED, "--answer-runs", tmp_path / "kept").code == 0
    assert (tmp_path / "B.jsonl.pope@demo" / "mine.txt").read_text() == "keep"


def test_a_run_is_not_written_over(cli: Cli, files: tuple[Path, Path], answered: Path, tmp_path: Path) -> None:
    shutil.copytree(answered, tmp_path / STORED)
    refused(cli("report", files[0], *ASKED), "in the way")


def test_results_without_answers(cli: Cli, files: tuple[Path, Path], tmp_path: Path) -> None:
    values = []
    for name, file in zip("ab", files, strict=True):
        outcome = cli("score", "pope", "--answers", file, "--data", "demo", "--json")
        (tmp_path / f"{name}.json").write_text(outcome.out)
        values.append(outcome.json["metrics"])
    both = [tmp_path / "a.json", tmp_path / "b.json"]
    for given in (both, [both[0], files[1], *ASKED]):
        found = cli("compare", *given, "--metric", "recall", "--json").json
        (gap,) = found["not_compared"]
        told = {each["metric"]: (*each["values"], each["difference"]) for each in gap["values"]}
        assert told == {
            name: (values[0][name], values[1][name], values[1][name] - values[0][name]) for name in ("f1", "recall")
        }
        assert "no paired test" in gap["reason"]
        assert found["pairs"] == []
    said = cli("compare", *both)
    assert said.code == 0
    assert f"{values[0]['f1']:.2f} DEMO and {values[1]['f1']:.2f} DEMO" in said.out
    assert "p-value" not in said.out
    assert cli("compare", *both, "--fail-on-regression").code == 3
    for verb in (["view", both[0]], ["leaderboard", both[0], "-o", tmp_path / "site"]):
        refused(cli(*verb), "a.json", "report and compare take it")


def lmms(**scores: Any) -> dict[str, Any]:
    return {
        "results": {"pope": {"alias": "pope", **scores}},
        "configs": {"pope": {}},
        "n-samples": {"pope": {"original": 9000, "effective": 9000}},
        "model_name": "llava_hf",
        "lmms_eval_version": "0.7.3",
    }


def test_lmms_evals_results_are_quoted(cli: Cli, files: tuple[Path, Path], tmp_path: Path) -> None:
    file = tmp_path / "20261101_results.json"
    file.write_text(json.dumps(lmms(**{"pope_f1_score,none": 0.8595, "pope_f1_score_stderr,none": 0.004})))
    made = cli("report", files[0], file, *ASKED, "--format", "json").json
    assert [column["task"] for column in made["columns"]] == ["pope@demo", "pope@lmms-eval-0.7.3"]
    ours, theirs = made["groups"][0]["rows"]
    here, there = (column["task"] for column in made["columns"])
    assert (ours["published"], ours["cells"][there]) == (False, None)
    assert (theirs["method"], theirs["published"], theirs["cells"][here]) == ("llava_hf", True, None)
    cell = theirs["cells"][there]
    assert cell["value"] == 0.8595
    assert [cell["low"], cell["high"]] == pytest.approx([0.8595 - 1.96 * 0.004, 0.8595 + 1.96 * 0.004])
    assert "20261101_results.json" in cell["source"]
    assert not cell["ranked"]
    text = cli("report", files[0], file, *ASKED).out
    assert "†1" in text
    assert "lmms-eval 0.7.3" in text
    refused(cli("compare", files[0], file, *ASKED), "pope@lmms-eval-0.7.3, another protocol")
    other = tmp_path / "other_results.json"
    other.write_text(json.dumps(lmms(**{"pope_f1_score,none": 0.85, "pope_f1_score_stderr,none": "N/A"})))
    (gap,) = cli("compare", file, other, "--json").json["not_compared"]
    assert [each["values"] for each in gap["values"]] == [[0.8595, 0.85]]
    assert first_cell(cli("report", other, "--format", "json"))["low"] is None


def test_llavas_published_answers(benchmarks: Path, llava_answers: Path, cli: Cli, tmp_path: Path) -> None:
    """The published F1, and the exact McNemar test of accuracy by hand beside flips counted from the answers alone."""
    first = tmp_path / "llava.jsonl"
    shutil.copy(llava_answers / "pope.jsonl", first)
    chance, rows = random.Random(5), read_jsonl(first)
    turned = {"Yes": "No", "No": "Yes"}
    changed = [{**row, "text": turned[row["text"]]} if chance.random() < 0.004 else row for row in rows]
    second = write_jsonl(tmp_path / "turned.jsonl", changed)
    found = cli("compare", first, second, "--task", "pope", "--data", benchmarks, "--json").json["pairs"][0]
    assert round(found["differences"][0]["values"][0], 2) == 85.95
    right = {row["id"]: row["target"][0] for row in read_jsonl(tmp_path / "llava.jsonl.pope@llava/pope@llava/samples.jsonl")}
    flips = [
        (old["text"].lower() == label.lower(), new["text"].lower() == label.lower())
        for old, new, label in zip(rows, changed, right.values(), strict=True)
        if old["text"] != new["text"]
    ]
    gained, lost = flips.count((False, True)), flips.count((True, False))
    assert (len(found["flips"]["gained"]), len(found["flips"]["lost"])) == (gained, lost)
    exact = min(1.0, 2 * sum(comb(gained + lost, each) for each in range(min(gained, lost) + 1)) / 2 ** (gained + lost))
    assert (found["differences"][0]["p"] < 0.05) == (exact < 0.05)
