"""Labels that the official script stops at are errors with file and line; those that it miscounts are marked in the cell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.reporting.marks import mark_texts
from mipha_eval.scoring.result_record import read_record
from tests.conftest import Cli, Outcome, read_json, read_jsonl, write_jsonl
from tests.test_bad_input import assert_refused
from tests.test_ugly_answers import BENCHES, Made, score_path, write_json

Change = Callable[[Any], object]


def scored(cli: Cli, folder: Path, task: str, file: str, change: Change) -> Outcome:
    """The right answers to a made-up benchmark, one of whose files is changed."""
    answers = BENCHES[task].write(folder)
    path = folder / file
    if file.endswith((".json", ".jsonl")) and not file.startswith("pope"):
        stored = read_json(path)
        change(stored)
        path.write_text(json.dumps(stored))
    elif file.startswith("pope"):
        rows = read_jsonl(path)
        change(rows)
        write_jsonl(path, rows)
    else:
        path.write_text(str(change(path.read_text())))
    return score_path(cli, Made(folder, {task: answers}), task, write_jsonl(folder / "answers.jsonl", answers))


POPE = "pope/coco/coco_pope_adversarial.json"
EXISTENCE = "MME/eval_tool/Your_Results/existence.txt"
VQA = "vqav2/v2_mscoco_val2014_annotations.json"
GQA = "gqa/data/testdev_balanced_questions.json"
TEXTVQA = "textvqa/TextVQA_0.5.1_val.json"
VIZWIZ = "vizwiz/val.json"
SEED = "seed_bench/SEED-Bench.json"
SQA = "scienceqa/problems.json"
MMVET = "mm-vet/mm-vet.json"
COCO = "coco/annotations/captions_val2017.json"
TABLE = "mmbench/mmbench_dev_20230712.tsv"


@pytest.mark.parametrize(
    ("task", "file", "change", "words"),
    [
        ("mme", EXISTENCE, lambda text: text.replace("Yes", "Yes "), ["existence.txt:2", "'Yes '", "neither Yes nor No"]),
        ("mme", EXISTENCE, lambda text: text.replace("Yes", "Ja"), ["existence.txt:2", "'Ja'"]),
        ("mme", EXISTENCE, lambda text: text.replace("\tNo\n", "\t\n", 1), ["existence.txt:1", "''"]),
        ("mme", EXISTENCE, lambda text: text + "\n", ["existence.txt:5", "1 tab-separated fields"]),
        ("mme", EXISTENCE, lambda text: text.replace("\t", " "), ["existence.txt:1", "1 tab-separated fields"]),
        ("mme", EXISTENCE, lambda text: text.split("\n", 1)[1], ["llava_mme.jsonl:1", "no label"]),
        ("textvqa", TEXTVQA, lambda file: file["data"][2]["answers"].pop(), ["entry 3", "has 9 human answers, not 10"]),
        ("textvqa", TEXTVQA, lambda file: file["data"][2].update(answers="red"), ["entry 3", "no list of texts"]),
        ("vqav2", VQA, lambda file: file["annotations"][1]["answers"].clear(), ["entry 2", "1001"]),
        ("vizwiz@val", VIZWIZ, lambda file: file[1]["answers"].clear(), ["val.json: entry 2", "question 1"]),
        ("vizwiz@val", VIZWIZ, lambda file: file[1].pop("image"), ["val.json: entry 2", "it has no 'image'"]),
        ("gqa", GQA, lambda file: file["201"].update(answer=2), ["entry 201", "2 is no text"]),
        ("gqa", GQA, lambda file: file["201"].pop("answer"), ["entry 201", "it has no 'answer'"]),
        ("scienceqa", SQA, lambda file: file["2"].update(answer=2), ["problem 2", "label 2", "none of 2 choices"]),
        ("scienceqa", SQA, lambda file: file["2"].update(answer="B"), ["problem 2", "label 'B'"]),
        ("seed", SEED, lambda file: file["questions"][1].pop("answer"), ["entry 2", "'answer'"]),
        ("seed", SEED, lambda file: file["questions"][1].update(answer=None), ["entry 2", "None is no text"]),
        ("mmvet", MMVET, lambda file: file["v1_1"].update(capability=["rec", "wit"]), ["entry v1_1", "wit", "math"]),
        ("mmvet", MMVET, lambda file: file["v1_1"].update(capability=[]), ["entry v1_1", "none"]),
        ("mmvet", MMVET, lambda file: file["v1_1"].update(answer=7), ["entry v1_1", "7 is no text"]),
        ("coco-cap", COCO, lambda file: file["annotations"].pop(1), ["entry 2", "image 1 has no captions"]),
        ("coco-cap", COCO, lambda file: file["annotations"][1].update(caption=3), ["entry 2", "3 is no text"]),
        ("coco-cap", COCO, lambda file: file["annotations"][1].update(image_id=9), ["entry 2", "image 9"]),
        ("pope", POPE, lambda rows: rows[1].pop("label"), ["adversarial.json:2", "it has no 'label'"]),
        ("pope", POPE, lambda rows: rows[1].update(label=True), ["adversarial.json:2", "True is no text"]),
    ],
)
def test_labels_that_nobody_can_read(
    task: str, file: str, change: Change, words: list[str], cli: Cli, tmp_path: Path
) -> None:
    outcome = scored(cli, tmp_path, task, file, change)
    assert_refused(outcome, f"{task.partition('@')[0]}@", str(tmp_path), *words)


@pytest.mark.parametrize(
    ("task", "file", "change", "reason"),
    [
        ("pope", POPE, lambda rows: rows[0].update(label="No"), "'No' is neither yes nor no, and counts as yes"),
        ("pope", POPE, lambda rows: rows[0].update(label="no "), "'no ' is neither yes nor no, and counts as yes"),
        ("vqav2", VQA, lambda file: file["annotations"][0]["answers"].pop(), "has 9 human answers, not 10"),
        ("vizwiz@val", VIZWIZ, lambda file: file[0]["answers"].append({"answer": "x"}), "has 11 human answers, not 10"),
        ("gqa", GQA, lambda file: file["200"].update(answer="Cat"), "'Cat' can equal no answer"),
        ("gqa", GQA, lambda file: file["200"].update(answer=" "), "' ' can equal no answer"),
        ("seed", SEED, lambda file: file["questions"][0].update(answer="b"), "'b' is the letter of no option"),
        ("seed", SEED, lambda file: file["questions"][0].update(answer="E"), "'E' is the letter of no option"),
        ("mmbench", TABLE, lambda text: text.replace("\tB\tocr", "\tC\tocr", 1), "'C' is the letter of no option"),
        ("mmbench", TABLE, lambda text: text.replace("\tB\tocr", "\tb\tocr", 1), "'b' is the letter of no option"),
        ("mmvet", MMVET, lambda file: file["v1_0"].update(answer=" "), "there is no accepted answer"),
        ("coco-cap", COCO, lambda file: file["annotations"][0].update(caption=" "), "one of the captions is empty"),
    ],
)
def test_labels_that_are_miscounted(task: str, file: str, change: Change, reason: str, cli: Cli, tmp_path: Path) -> None:
    outcome = scored(cli, tmp_path, task, file, change)
    assert outcome.code == 0, outcome.err
    (found,) = outcome.json["odd_labels"]
    assert found.startswith(reason)
    assert outcome.json["odd_labels"][found] == 1
    assert "ODD LABELS 1" in mark_texts(read_record(outcome.json, "it"))


@pytest.mark.parametrize("task", BENCHES)
def test_good_labels_bear_no_mark(task: str, cli: Cli, tmp_path: Path) -> None:
    answers = BENCHES[task].write(tmp_path)
    file = write_jsonl(tmp_path / "answers.jsonl", answers)
    result = score_path(cli, Made(tmp_path, {task: answers}), task, file).json
    assert result["odd_labels"] == {}


def test_an_odd_label_is_scored_as_officially(cli: Cli, tmp_path: Path) -> None:
    """POPE's script takes all but ``no`` for yes, so that the right answer is a wrong one."""
    outcome = scored(cli, tmp_path, "pope", POPE, lambda rows: rows[0].update(label="NO"))
    assert outcome.json["metrics"]["adversarial/accuracy"] == 50
    assert outcome.json["metrics"]["adversarial/recall"] == 50


def test_lower_case_labels_of_mme(cli: Cli, tmp_path: Path) -> None:
    """The official script lower-cases labels; so do scores and the probabilities of the possible answers."""
    from mipha_eval.core.data_source import DataSource
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_task
    from mipha_eval.data.questions import read_samples

    outcome = scored(cli, tmp_path, "mme", EXISTENCE, lambda text: text.replace("\tYes", "\tyes").replace("\tNo", "\tNO"))
    assert outcome.json["metrics"]["perception"] == 200
    task = build_task("mme", {}, DataSource("folder", tmp_path), Registry())
    assert [list(task.possible_answers(sample).values()) for sample in read_samples(task)] == [
        [False, True],
        [True, False],
    ] * 2


def test_a_run_bears_the_mark(cli: Cli, tmp_path: Path) -> None:
    BENCHES["gqa"].write(tmp_path)
    path = tmp_path / GQA
    stored = read_json(path)
    stored["200"]["answer"] = "Cat"
    write_json(path, stored)
    run = ["run", "--tasks", "gqa", "--model", "answers-file", "--data", tmp_path, "-o", tmp_path / "runs", "--json"]
    answers = write_jsonl(tmp_path / "a.jsonl", BENCHES["gqa"].write(tmp_path / "other"))
    result = cli(*run, "-a", f"path={answers}").json
    assert "ODD LABELS 1" in mark_texts(read_record(result["results"][0], "it"))
    assert "ODD LABELS 1" in cli("score", result["run"]).out
