"""Tables and text files as programs write them: encodings, separators, columns, and pictures that stand in another row."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from mipha_eval.data.images import TablePictures, open_image
from tests.conftest import Cli, read_jsonl, write_jsonl
from tests.test_bad_input import assert_refused
from tests.test_ugly_answers import BENCHES, Made, mmbench_rows, score_path

Row = Mapping[str, Any]


def write_table(path: Path, rows: Sequence[Row], delimiter: str = "\t", encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        table.writeheader()
        table.writerows(rows)
    return path


def picture(shade: int) -> str:
    data = io.BytesIO()
    Pillow.new("RGB", (40, 30), (shade, shade, shade)).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


FORMS = [
    (".tsv", "\t", "utf-8-sig"),
    (".tsv", "\t", "utf-16"),
    (".tsv", "\t", "utf-16-be"),
    (".tsv", ",", "utf-8"),
    (".tsv", ";", "utf-8"),
    (".csv", ",", "utf-8"),
    (".csv", ",", "utf-16"),
    (".csv", ";", "utf-8-sig"),
    (".csv", "\t", "utf-32"),
]


@pytest.mark.parametrize(("ending", "delimiter", "encoding"), FORMS)
def test_questions_and_answers_in_any_table(ending: str, delimiter: str, encoding: str, cli: Cli, tmp_path: Path) -> None:
    rows = [
        {**row, "hint": 'Ein "Schild", größer; 大', "question": "Which one,\nof two; or three?"} for row in mmbench_rows()
    ]
    write_table(tmp_path / f"data/mmbench/mmbench_dev_20230712{ending}", rows, delimiter, encoding)
    answers = [{**row, "prediction": row["answer"]} for row in rows]
    for name in (f"answers{ending}", "answers.txt", "answers"):
        file = write_table(tmp_path / name, answers, delimiter, encoding)
        outcome = score_path(cli, Made(tmp_path / "data", {}), "mmbench", file)
        assert outcome.code == 0, outcome.err
        assert (outcome.json["metrics"]["accuracy"], outcome.json["unverified"]) == (100, 0)
    shown = cli("show", "task", "mmbench", "--data", tmp_path / "data", "--json").json["questions"][0]["prompt"]
    assert shown.startswith('Ein "Schild", größer; 大\nWhich one,\nof two; or three?\nA. a dog\nB. a cat')


def test_other_annotations(cli: Cli, tmp_path: Path) -> None:
    table = write_table(tmp_path / "mine.csv", mmbench_rows(), ";", "utf-16")
    answers = [{"question_id": row["index"], "text": row["answer"]} for row in mmbench_rows()]
    file = write_jsonl(tmp_path / "answers.jsonl", answers)
    outcome = cli("score", "mmbench", "--annotations", table, "--answers", file, "--json")
    assert outcome.json["metrics"]["accuracy"] == 100


def test_a_table_in_an_encoding_that_nobody_tells(cli: Cli, tmp_path: Path) -> None:
    """GBK, as Chinese Windows saves it: its letters must not come into prompts as anything else."""
    rows = [{**row, "question": "这是什么？" if row["index"] == 2 else "What?"} for row in mmbench_rows()]
    table = write_table(tmp_path / "data/mmbench/mmbench_dev_20230712.tsv", rows, encoding="gbk")
    run = ["run", "--tasks", "mmbench", "--model", "constant", "--data", tmp_path / "data", "-o", tmp_path / "runs"]
    assert_refused(cli(*run), f"{table}:4 is not UTF-8", "byte 0xD5")
    answers = write_table(tmp_path / "answers.tsv", [{**row, "prediction": "A"} for row in rows], encoding="gbk")
    write_table(table, mmbench_rows())
    outcome = score_path(cli, Made(tmp_path / "data", {}), "mmbench", answers)
    assert_refused(outcome, f"{answers}:4 is not UTF-8")


@pytest.mark.parametrize(
    ("task", "file"),
    [
        ("pope", "pope/coco/coco_pope_popular.json"),
        ("mme", "MME/eval_tool/Your_Results/existence.txt"),
        ("mme", "MME/llava_mme.jsonl"),
        ("vqav2", "vqav2/v2_OpenEnded_mscoco_val2014_questions.json"),
        ("gqa", "gqa/data/testdev_balanced_questions.json"),
        ("textvqa", "textvqa/TextVQA_0.5.1_val.json"),
        ("vizwiz@val", "vizwiz/val.json"),
        ("scienceqa", "scienceqa/llava_test_CQM-A.json"),
        ("seed", "seed_bench/SEED-Bench.json"),
        ("mmvet", "mm-vet/mm-vet.json"),
        ("coco-cap", "coco/annotations/captions_val2017.json"),
    ],
)
def test_every_benchmarks_files(task: str, file: str, cli: Cli, tmp_path: Path) -> None:
    """Their encoding is read where their first bytes tell it; else a letter that is not UTF-8 is named by its line."""
    answers = BENCHES[task].write(tmp_path)
    path, made = tmp_path / file, Made(tmp_path, {})
    text = path.read_text(encoding="utf-8")
    given = write_jsonl(tmp_path / "answers.jsonl", answers)
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le"):
        path.write_bytes(text.encode(encoding))
        outcome = score_path(cli, made, task, given)
        assert outcome.code == 0, outcome.err
    last = text.count("\n", 0, len(text) - 2) + 1
    place = text.rindex("e", 0, len(text) - 1)
    path.write_bytes((text[:place] + "é" + text[place + 1 :]).encode("latin-1"))
    assert_refused(score_path(cli, made, task, given), f"{path}:{last} is not UTF-8 (byte 0xE9")


def test_questions_to_predict(cli: Cli, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    rows = [{"question_id": number, "text": text} for number, text in enumerate(["What?", "Qu’est-ce que c’est, là?"])]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    predict = ["predict", "--questions", questions, "--image-folder", tmp_path, "--model", "constant", "--answers"]
    questions.write_bytes(lines.encode("utf-16"))
    assert cli(*predict, tmp_path / "a.jsonl").code == 0
    assert [row["prompt"] for row in read_jsonl(tmp_path / "a.jsonl")] == [row["text"] for row in rows]
    questions.write_bytes(lines.encode("cp1252"))
    assert_refused(cli(*predict, tmp_path / "b.jsonl"), "questions.jsonl:2 is not UTF-8")


@pytest.mark.parametrize("column", ["index", "question", "A"])
def test_columns_that_are_missing(column: str, cli: Cli, tmp_path: Path) -> None:
    rows = [{name: cell for name, cell in row.items() if name != column} for row in mmbench_rows()]
    table = write_table(tmp_path / "data/mmbench/mmbench_dev_20230712.tsv", rows)
    answers = write_jsonl(tmp_path / "answers.jsonl", [{"question_id": 1, "text": "B"}])
    outcome = score_path(cli, Made(tmp_path / "data", {}), "mmbench", answers)
    assert_refused(outcome, f"mmbench@dev: {table} has no column {column!r}; it has ", "hint, ", "category")
    table.write_text("")
    assert_refused(score_path(cli, Made(tmp_path / "data", {}), "mmbench", answers), "it is empty")


def test_a_broken_row_is_named(cli: Cli, tmp_path: Path) -> None:
    table = write_table(tmp_path / "data/mmbench/mmbench_dev_20230712.tsv", mmbench_rows())
    answers = write_jsonl(tmp_path / "answers.jsonl", [{"question_id": 1, "text": "B"}])
    text = table.read_text()
    for line, words in (("x\tWhat?\t\ta\tb", "'x'"), ("9" + "\t1" * 11, "12 cells, the table 9 columns")):
        table.write_text(f"{text}{line}\n")
        assert_refused(score_path(cli, Made(tmp_path / "data", {}), "mmbench", answers), f"{table}:6 ", words)


PADDED = picture(1)
CELLS: dict[int, str | None] = {
    241: picture(10),
    1_000_241: "241",
    2_000_241: " 241.0",
    300: "1000241",  # a chain
    1_000_300: "300",
    5: "400",  # the picture comes later, and in a row that is turned
    400: "1000400",
    1_000_400: picture(20),
    6: "7",
    7: "8",
    8: "6",
    9: "9",
    10: "999",
    11: None,
    12: "11",
    13: picture(30),
    1_000_013: picture(30),
    1_000_241_000: "no picture",
    14: picture(40),
    1_000_014: picture(50),  # another one than its question's first row
    15: f"data:image/png;base64,{PADDED}",
    16: PADDED[:-3],
}
SHADES = {241: 10, 1_000_241: 10, 2_000_241: 10, 300: 10, 1_000_300: 10, 5: 20, 400: 20, 1_000_400: 20}
SHADES |= {13: 30, 1_000_013: 30, 14: 40, 1_000_014: 50, 15: 1}
REASONS = {
    6: "rows 6, 7, 8 name one another",
    7: "rows 7, 8, 6 name one another",
    9: "rows 9 name one another",
    10: "row 10 names row 999",
    11: "row 11 of the table has no picture",
    12: "row 11 of the table has no picture",
    16: "not base64",
}


def test_pictures_of_other_rows() -> None:
    pictures = TablePictures("mmbench/dev", CELLS, 1_000_000)
    images = {row: pictures.image(row) for row in CELLS}
    for row, shade in SHADES.items():
        assert open_image(images[row]).getpixel((0, 0)) == (shade, shade, shade)
    for row, reason in REASONS.items():
        with pytest.raises(Exception, match=reason):
            open_image(images[row])
    # one picture has one location and one name, so that it is encoded once and its questions are one cluster
    for rows in ((241, 1_000_241, 2_000_241, 300, 1_000_300), (5, 400, 1_000_400), (13, 1_000_013)):
        assert len({images[row].location for row in rows}) == len({images[row].name for row in rows}) == 1
    # different pictures never share a location, nor does a row without a picture share one with a row that has one
    assert len({images[row].location for row in (241, 5, 13, 14, 1_000_014, *REASONS)}) == 5 + len(REASONS)


def test_a_rotation_without_a_picture_never_gets_anothers(cli: Cli, tmp_path: Path) -> None:
    """With and without sharing the same rows fail, each with its reason."""
    cells = [picture(10), "1", picture(20), "77"]
    rows = [{**row, "image": cell} for row, cell in zip(mmbench_rows(), cells, strict=True)]
    write_table(tmp_path / "data/mmbench/mmbench_dev_20230712.tsv", rows)
    run = ["run", "--tasks", "mmbench", "-m", "mipha-tiny", "--device", "cpu", "--data", tmp_path / "data", "--json", "-o"]
    for flags in ([], ["--no-share"], ["--batch-size", "1"]):
        result = cli(*run, tmp_path / f"runs{len(flags)}{flags}", *flags).json["results"][0]
        assert (result["n"], result["failed"]) == (3, 1)
        (reason,) = result["failures"]
        assert "row 1000002 names row 77" in reason
