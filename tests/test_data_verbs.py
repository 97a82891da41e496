"""``mipha-eval data``: what differs from a release is named, what is missing is said where it is looked for."""

from __future__ import annotations

import hashlib
import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from PIL import Image as Pillow

from mipha_eval.data.release_diff import Mark, align, compare, compare_with_nearest
from mipha_eval.data.releases import Row, describe, read_releases
from mipha_eval.demo.files import demo_folder
from tests.conftest import Cli, read_jsonl, write_jsonl
from tools.record_release import main as record_release

Edit = Callable[[list[dict[str, Any]]], object]

CATEGORIES = {"adversarial": 0, "random": 10_000_000, "popular": 20_000_000}


@pytest.fixture
def pope(benchmarks: Path, tmp_path: Path) -> Path:
    """A folder with POPE's first release, which a test may change."""
    shutil.copytree(benchmarks / "pope/coco", tmp_path / "data/pope/coco", copy_function=shutil.copyfile)
    return tmp_path / "data"


def change(pope: Path, category: str, edit: Edit) -> None:
    path = pope / f"pope/coco/coco_pope_{category}.json"
    rows = read_jsonl(path)
    edit(rows)
    write_jsonl(path, rows)


def verify_lines(cli: Cli, code: int, *arguments: object) -> list[str]:
    outcome = cli("data", "verify", *arguments)
    assert outcome.code == code, outcome.out + outcome.err
    return [line.strip() for line in outcome.out.splitlines()]


def test_real_files_are_as_released(cli: Cli, benchmarks: Path) -> None:
    outcome = cli("data", "verify", "--data", benchmarks, "--json")
    assert outcome.code == 0, outcome.out
    found = {entry["task"]: entry for entry in outcome.json["tasks"]}
    rows = dict.fromkeys(["textvqa@llava-ocr", "textvqa@plain"], 5000) | dict.fromkeys(["seed@llava", "seed@ppl"], 17990)
    rows |= {"pope@llava": 8910, "pope@official": 9000, "mme@llava": 2374, "mmvet@v1": 218, "scienceqa@llava": 4241}
    rows |= {"vizwiz@test": 8000, "mmbench@dev": 4377}
    for task, count in rows.items():
        assert (found[task]["verdict"], found[task]["rows"]) == ("ok", count)
    assert found["mmvet@v1"]["images"] == {"total": 200, "there": 200, "first_missing": "", "reason": ""}
    assert {"kind": "ok", "text": "labels: no 4,410, yes 4,500"} in found["pope@llava"]["findings"]
    unknown = {"kind": "note", "text": "questions are not in the record, so not compared"}
    assert unknown in found["seed@llava"]["findings"]
    assert {"kind": "note", "text": "labels are not in the record, so not compared"} in found["vizwiz@test"]["findings"]
    assert "testdev_balanced_questions.json is missing" in outcome.json["missing"]["gqa@testdev"]


def test_the_record_is_of_the_published_rows(cli: Cli, benchmarks: Path) -> None:
    """The hashes of POPE made from its files without the loader."""
    rows = []
    for category, first in CATEGORIES.items():
        for row in read_jsonl(benchmarks / f"pope/coco/coco_pope_{category}.json"):
            stem = PurePosixPath(row["image"]).stem
            rows.append([str(first + row["question_id"]), row["text"], [row["label"]], [stem]])
    rows.sort(key=lambda row: int(row[0]))
    (release,) = read_releases()["pope@llava"]
    assert release.everything == hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    assert release.ids == hashlib.sha256(json.dumps([row[0] for row in rows]).encode()).hexdigest()
    assert release.labels == hashlib.sha256(json.dumps([[row[0], row[2]] for row in rows]).encode()).hexdigest()
    assert release.counts == {"no": 4410, "yes": 4500}


@pytest.mark.parametrize(
    ("category", "edit", "lines"),
    [
        (
            "adversarial",
            lambda rows: rows[16].update(label="no"),
            ["differs  labels differ in 1 row, first 17: no 4,411 (official 4,410), yes 4,499 (official 4,500)"],
        ),
        (
            "random",
            lambda rows: [row.update(text=f"{row['text']} Really?") for row in rows[16:19]],
            ["differs  questions differ in 3 rows, first 10000017", "ok       labels: no 4,410, yes 4,500"],
        ),
        (
            "adversarial",
            lambda rows: rows.pop(16),
            [
                "differs  rows 8,909, official 8,910",
                "differs  1 row of the official release missing, first one after 16 in the order of ids",
                "ok       questions and labels of the other 8,909 rows",
                "note     labels: no 4,410, yes 4,499 (official 4,500)",
            ],
        ),
        (
            "popular",
            lambda rows: rows.insert(17, dict(rows[16])),
            [
                "differs  rows 8,911, official 8,910",
                "differs  1 id twice: 20000017",
                "ok       questions and labels of the other 8,910 rows",
            ],
        ),
        (
            "adversarial",
            lambda rows: rows[16].update(question_id=9017),
            [
                "ok       rows 8,910",
                "differs  1 row not in the official release, first 9017",
                "differs  1 row of the official release missing, first one after 16 in the order of ids",
            ],
        ),
        (
            "adversarial",
            lambda rows: (rows[48].update(label="no"), rows[79].update(text="Is there?"), rows.pop(0)),
            [
                "differs  rows 8,909, official 8,910",
                "differs  1 row of the official release missing, first one before all others in the order of ids",
                "differs  labels differ in 1 row, first 49",
                "differs  questions differ in 1 row, first 80",
                "ok       questions and labels of the other 8,907 rows",
            ],
        ),
        (
            "popular",
            lambda rows: rows[0].update(image="COCO_val2014_000000000042.jpg"),
            ["ok       labels: no 4,410, yes 4,500", "ok       questions", "differs  image names differ"],
        ),
    ],
    ids=["label", "questions", "row dropped", "row twice", "id renamed", "several", "image"],
)
def test_what_differs_is_named(category: str, edit: Edit, lines: list[str], cli: Cli, pope: Path) -> None:
    assert not any(line.startswith("differs") for line in verify_lines(cli, 0, "pope@llava", "--data", pope))
    change(pope, category, edit)
    found = verify_lines(cli, 3, "pope@llava", "--data", pope)
    for line in lines:
        assert line in found
    assert sum(line.startswith("differs") for line in found) == sum(line.startswith("differs") for line in lines)


def test_images_are_counted_and_change_no_verdict(cli: Cli, pope: Path, tmp_path: Path) -> None:
    lines = verify_lines(cli, 0, "pope@llava", "--data", pope)
    first = "COCO_val2014_000000310196.jpg"
    assert f"note     images: 0 of 500 there, first missing {first} (there is no folder {pope}/pope/val2014)" in lines
    names = list(dict.fromkeys(row["image"] for row in read_jsonl(pope / "pope/coco/coco_pope_adversarial.json")))
    (tmp_path / "pictures").mkdir()
    for name in [*names[:3], *names[4:]]:
        (tmp_path / "pictures" / name).touch()
    lines = verify_lines(cli, 0, "pope@llava", "--data", pope, "--image-dir", f"pope={tmp_path / 'pictures'}")
    assert f"note     images: 499 of 500 there, first missing {names[3]}" in lines


def test_without_a_record_only_rows_are_compared(cli: Cli, benchmarks: Path) -> None:
    subset = benchmarks / "gqa/data/ood_testdev_head.json"
    lines = verify_lines(cli, 3, "gqa", "--data", benchmarks, "--annotations", subset)
    assert "differs  rows 1,733, official 12,578" in lines
    assert "unknown  no record of this release to compare ids, labels and questions with" in lines


def rows_to_compare(count: int) -> list[Row]:
    return [
        Row(str(10_000 + number), f"What is {number}?", (str(number % 3),), (f"picture{number}",)) for number in range(count)
    ]


def test_a_release_that_is_not_recorded_is_not_compared_with_another() -> None:
    """SEED-Bench had 19,242 rows before it had 17,990, and only the latter are recorded."""
    recorded = describe(rows_to_compare(30), "later")
    source, findings = compare_with_nearest(rows_to_compare(40), [recorded], (30, 40))
    assert source == ""
    assert [finding.kind for finding in findings] == ["ok", "unknown"]
    assert findings[0].text == "rows 40, as published"
    source, findings = compare_with_nearest(rows_to_compare(39), [recorded], (30, 40))
    assert source == "later"
    assert findings[0].text == "rows 39, official 30"


def test_of_two_releases_the_nearest_is_compared_with() -> None:
    rows = rows_to_compare(30)
    mended = [*rows[:4], rows[4]._replace(question="What is four?"), *rows[5:]]
    releases = [describe(rows, "first"), describe(mended, "second")]
    for source, those in (("first", rows), ("second", mended)):
        nearest, findings = compare_with_nearest(those, releases, (30,))
        assert nearest == source
        assert all(finding.kind == "ok" for finding in findings)


def test_large_releases_have_no_marks() -> None:
    rows = rows_to_compare(20_001)
    release = describe(rows)
    assert release.question_marks == release.label_marks == ""
    changed = [rows[0]._replace(question="What?"), *rows[1:]]
    assert "questions differ" in [finding.text for finding in compare(changed, release)]


def test_labels_of_which_only_the_first_is_known() -> None:
    """SEED-Bench's record has letters and no options; its files have both."""
    rows = rows_to_compare(10)
    release = describe([Row(row.id, "", row.references, ()) for row in rows], first_only=True)
    full = [row._replace(references=(*row.references, "an option")) for row in rows]
    assert [finding.kind for finding in compare(full, release)] == ["ok", "ok", "ok", "note"]
    full[3] = full[3]._replace(references=("2", "an option"))
    assert compare(full, release)[2].text == "labels differ in 1 row, first 10003: 0 3 (official 4), 1 3, 2 4 (official 3)"


def test_alignment_finds_exactly_what_was_changed() -> None:
    rng = random.Random(0)
    for _ in range(20):
        official: list[Mark] = [(rng.randbytes(2), rng.randbytes(2)) for _ in range(300)]
        gone, relabelled, reworded, foreign = (sorted(part) for part in _disjoint(rng.sample(range(1, 299, 3), 20)))
        here: list[Mark] = []
        expected: dict[str, list[int]] = {"relabelled": [], "reworded": [], "foreign": []}
        for number, (asked, labelled) in enumerate(official):
            if number in gone:
                continue
            if number in foreign:
                expected["foreign"].append(len(here))
                here.append((rng.randbytes(2), rng.randbytes(2)))
            if number in relabelled:
                expected["relabelled"].append(len(here))
            if number in reworded:
                expected["reworded"].append(len(here))
            here.append(
                (
                    rng.randbytes(2) if number in reworded else asked,
                    rng.randbytes(2) if number in relabelled else labelled,
                )
            )
        found = align(here, official)
        assert found.gone == gone
        assert {name: getattr(found, name) for name in expected} == expected
        assert len(found.same) == 300 - 15


def _disjoint(numbers: list[int]) -> list[list[int]]:
    return [numbers[start::4] for start in range(4)]


def test_the_demo_has_nothing_to_compare_with(cli: Cli) -> None:
    lines = verify_lines(cli, 0, "pope", "mme", "--data", "demo")
    asked = sum(len(read_jsonl(file)) for file in (demo_folder() / "pope/coco").glob("*.json"))
    pictures = len(list((demo_folder() / "pope/val2014").iterdir()))
    assert lines[:3] == [
        "pope@demo: can be read",
        f"note     rows {asked:,}; demo scenes, nothing to compare with",
        f"note     images: {pictures} of {pictures} there",
    ]


def test_what_is_no_verification(cli: Cli, pope: Path, tmp_path: Path) -> None:
    """A usage error or a missing file is one line and exit code 2; a broken file differs."""
    (tmp_path / "empty").mkdir()
    for arguments, words in (
        (["popee", "--data", pope], "did you mean pope"),
        (["mmvet", "--data", pope], "mm-vet.json is missing"),
        (["--data", tmp_path / "empty"], "has the files of no task"),
        (["--data", "hub"], "name the tasks"),
        (
            ["--data", pope, "--annotations", __file__],
            "an annotation file belongs to one task; name one (--annotations)",
        ),
        (["--data", pope, "--image-dir", f"popee={tmp_path}"], "did you mean pope"),
    ):
        outcome = cli("data", "verify", *arguments)
        assert outcome.code == 2, outcome.out
        assert words in outcome.err
        assert len(outcome.err.splitlines()) == 1
    (pope / "mm-vet").mkdir()
    (pope / "mm-vet/mm-vet.json").write_text('{"v1_0": {')
    lines = verify_lines(cli, 3, "mmvet", "--data", pope)
    assert lines[0] == "mmvet@v1: differs"
    assert lines[1].startswith(f"differs  cannot be read: cannot read {pope}/mm-vet/mm-vet.json: ")


def test_recording_a_release(benchmarks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = tmp_path / "records.json"
    record = ["mmvet@v1", "--data", str(benchmarks), "--records", str(records), "--source"]
    for source in ("one", "other", "one"):
        record_release([*record, source])
    assert "218 rows" in capsys.readouterr().out
    assert [release.source for release in read_releases(records)["mmvet@v1"]] == ["other", "one"]
    (shipped,) = read_releases()["mmvet@v1"]
    assert read_releases(records)["mmvet@v1"][1].everything == shipped.everything


def where(cli: Cli, *arguments: object) -> dict[str, Any]:
    outcome = cli("data", "where", *arguments, "--json")
    assert outcome.code == 0, outcome.err
    assert "Traceback" not in outcome.err
    return {entry["task"]: entry for entry in outcome.json["tasks"]}


def test_where_in_a_folder(cli: Cli, pope: Path, benchmarks: Path) -> None:
    shutil.copytree(benchmarks / "pope/coco_3000", pope / "pope/coco_3000", copy_function=shutil.copyfile)
    for row in read_jsonl(pope / "pope/coco/coco_pope_adversarial.json")[:18]:  # three pictures, six questions each
        (pope / "pope/val2014").mkdir(exist_ok=True)
        (pope / "pope/val2014" / row["image"]).touch()
    found = where(cli, "--data", pope)
    assert found["pope@llava"]["questions"] == 8910
    assert (found["pope@llava"]["images"]["there"], found["pope@llava"]["images"]["total"]) == (3, 20)
    assert found["pope@llava"]["where"] == "pope/coco"
    assert found["pope@official"]["where"] == "pope/coco, pope/coco_3000"
    assert not found["mmvet@v1"]["found"]
    hint = "mm-vet.zip is at github.com/yuweihao/MM-Vet/releases (70 MB)"
    assert found["mmvet@v1"]["where"].startswith(f"{pope}/mm-vet/mm-vet.json is missing")
    assert found["mmvet@v1"]["where"].endswith(hint)
    table = cli("data", "where", "--data", pope).out.splitlines()
    line = next(line for line in table if line.startswith("pope@official"))
    assert line.split()[1:6] == ["yes", "9,000", "3", "of", "20"]


def test_where_in_the_demo(cli: Cli) -> None:
    found = where(cli, "--data", "demo")
    assert found["mme@demo"]["questions"] == len(read_jsonl(demo_folder() / "MME/llava_mme.jsonl"))
    assert found["mme@demo"]["images"]["there"] == 20
    assert "pope@llava" not in found


OWN = """from dataclasses import dataclass

from mipha_eval.scoring.stock.exact import ExactTask
from mipha_eval.scoring.stock.question import Question


@dataclass(frozen=True)
class Own(ExactTask):
    name = "own"
    protocols = {"v1": "with its files", "v2": "without them"}
    own_data = True

    def questions(self):
        self.data.find(f"{self.protocol}.txt")
        self.data.note(self.data.folder.parent / "elsewhere.txt")
        yield Question("Which?", ("this",))
"""


@pytest.mark.parametrize("data", ["demo", "hub", "folder", "hub:mirror"])
def test_where_of_a_task_with_files_of_its_own(data: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are where its own file is, whatever the source is."""
    for name in ("folder", "mirror", "task"):
        (tmp_path / name).mkdir()
    plugin, elsewhere = tmp_path / "task/own.py", tmp_path / "elsewhere.txt"
    plugin.write_text(OWN)
    elsewhere.touch()
    (tmp_path / "task/v1.txt").touch()
    monkeypatch.chdir(tmp_path)
    found = where(cli, "--data", data, "--plugin", plugin)
    assert (found["own@v1"]["found"], found["own@v1"]["questions"]) == (True, 1)
    assert found["own@v1"]["where"] == f"v1.txt, {elsewhere}"
    assert found["own@v2"]["where"].startswith(f"{tmp_path}/task/v2.txt is missing")
    assert "own@demo" not in found


def test_where_with_a_mirror(cli: Cli, tmp_path: Path) -> None:
    from datasets import Dataset, Features, Image, Value

    columns = ("question_id", "question", "answer", "image_source", "category")
    features = Features({**{name: Value("string") for name in columns}, "image": Image()})
    picture = io.BytesIO()
    Pillow.new("RGB", (4, 4)).save(picture, "PNG")
    rows = [
        {
            "question_id": "1",
            "question": "Is there a dog in the image?",
            "answer": "yes",
            "image_source": f"picture_{category}",
            "category": category,
            "image": {"bytes": picture.getvalue(), "path": None},
        }
        for category in CATEGORIES
    ]
    folder = tmp_path / "lmms-lab/POPE/data"
    folder.mkdir(parents=True)
    Dataset.from_list(rows, features=features).to_parquet(folder / "test-00000-of-00001.parquet")
    found = where(cli, "--data", f"hub:{tmp_path}")
    assert found["pope@official"]["questions"] == 3
    assert found["pope@official"]["images"]["there"] == 3
    assert found["pope@official"]["where"].startswith(str(tmp_path / "lmms-lab/POPE"))
    assert found["mme@llava"]["where"].startswith(f"{tmp_path / 'lmms-lab-encoder/MME'} is missing")
    assert "not on the hub" in found["pope@llava"]["where"]
    lines = verify_lines(cli, 3, "--data", f"hub:{tmp_path}")
    assert lines[0].startswith("pope@official: differs (POPE")
    assert "differs  rows 3, official 9,000" in lines


def test_where_on_the_hub(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert "the hub cannot be reached" in where(cli, "--data", "hub")["mme@llava"]["where"]
    file = tmp_path / "datasets--lmms-lab--MME/snapshots/abc/data/test.parquet"
    file.parent.mkdir(parents=True)
    file.touch()
    found = where(cli, "--data", "hub")
    assert found["mme@llava"]["found"]
    assert not found["pope@official"]["found"]

    asked = []

    def dataset_info(api: object, name: str, **_: object) -> None:
        asked.append(name)

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", dataset_info)
    found = where(cli, "--data", "hub")
    assert found["pope@official"]["where"] == "lmms-lab-encoder/POPE on the hub, downloaded when it is first read"
    assert found["pope@official"]["questions"] is None, "nothing is downloaded to be counted"
    assert len(asked) == len(set(asked)), "two protocols on one dataset are one question"
