"""The hub's dataset schemas, on small parquet files in a local mirror."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from mipha_eval.data.images import open_image
from mipha_eval.data.source import DataSource
from mipha_eval.plugins import Registry
from mipha_eval.selection import build_task
from tests.conftest import Cli


def png(shade: int) -> bytes:
    data = io.BytesIO()
    Pillow.new("RGB", (8, 8), (shade, shade, shade)).save(data, "PNG")
    return data.getvalue()


def write_parquet(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Writes a split as the hub stores it: data/test-00000-of-00001.parquet with an image feature."""
    from datasets import Dataset, Features, Image, Value

    features = Features({key: Image() if key == "image" else Value("string") for key in rows[0]})
    (folder / "data").mkdir(parents=True)
    Dataset.from_list(rows, features=features).to_parquet(folder / "data" / "test-00000-of-00001.parquet")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """lmms-lab/POPE and lmms-lab/MME with the columns that the hub has, a few rows each."""
    pope = [
        {
            "id": str(number),
            "question_id": str(number % 2 + 1),
            "question": f"Is there a {('dog', 'cat')[number % 2]} in the image?",
            "answer": ("yes", "no")[number % 2],
            "image_source": "COCO_val2014_000000310196",
            "image": {"bytes": png(100), "path": None},
            "category": category,
        }
        for number, category in enumerate(["adversarial", "adversarial", "popular", "popular", "random", "random"])
    ]
    mme = [
        {
            "question_id": f"code_reasoning/000{number // 2}.png",
            "image": {"bytes": png(number // 2), "path": None},
            "question": f"Is the output {number}? Please answer yes or no.",
            "answer": ("Yes", "No")[number % 2],
            "category": "code_reasoning",
        }
        for number in range(4)
    ]
    write_parquet(tmp_path / "lmms-lab" / "POPE", pope)
    write_parquet(tmp_path / "lmms-lab" / "MME", mme)
    return tmp_path


def test_pope_rows(mirror: Path) -> None:
    task = build_task("pope", {}, DataSource("hub", mirror), Registry())
    samples = list(task.samples())
    assert task.label == "pope@official"
    assert [sample.question_id for sample in samples] == [1, 2, 20_000_001, 20_000_002, 10_000_001, 10_000_002]
    assert samples[0].question == "Is there a dog in the image?\nAnswer the question using a single word or phrase."
    assert samples[0].images[0].name == "COCO_val2014_000000310196.jpg"
    assert len({sample.images[0].location for sample in samples}) == 1, "one picture, however many rows hold it"
    assert open_image(samples[3].images[0]).getpixel((0, 0)) == (100, 100, 100)


def test_mme_rows(mirror: Path) -> None:
    task = build_task("mme", {}, DataSource("hub", mirror), Registry())
    samples = list(task.samples())
    assert samples[1].question == "Is the output 1?\nAnswer the question using a single word or phrase."
    assert [sample.group for sample in samples] == [f"code_reasoning/000{number}.png" for number in (0, 0, 1, 1)]
    assert open_image(samples[2].images[0]).getpixel((0, 0)) == (1, 1, 1)


def test_a_list_of_frames_shows_the_middle_one(tmp_path: Path) -> None:
    from datasets import Dataset, Features, List, Value
    from datasets import Image as ImageFeature

    texts = ["question_id", "question", "choice_a", "choice_b", "choice_c", "choice_d", "answer", "data_type", "data_id"]
    features = Features({**{name: Value("string") for name in texts}, "image": List(ImageFeature())})
    frames = [{"bytes": png(shade), "path": None} for shade in (1, 2, 3)]
    row = {**dict.fromkeys(texts, "x"), "answer": "B", "data_type": "video", "image": frames}
    folder = tmp_path / "lmms-lab" / "SEED-Bench" / "data"
    folder.mkdir(parents=True)
    Dataset.from_list([row], features=features).to_parquet(folder / "test-00000-of-00001.parquet")
    (sample,) = build_task("seed", {}, DataSource("hub", tmp_path), Registry()).samples()
    assert open_image(sample.images[0]).getpixel((0, 0)) == (2, 2, 2)
    assert sample.question.split("\n")[1] == "A. x"


def test_a_run_on_a_mirror(cli: Cli, mirror: Path, tmp_path: Path) -> None:
    outcome = cli(
        "run", "--tasks", "pope,mme", "--model", "constant", "--data", f"hub:{mirror}", "-o", tmp_path / "r", "--json"
    )
    assert outcome.code == 0, outcome.err
    pope, mme = outcome.json["results"]
    assert pope["metrics"]["accuracy"] == 50
    assert mme["metrics"] == {"cognition": 50, "total": 50, "code_reasoning": 50}
    assert mme["headline"] == "perception", "no perception question was asked, so there is no number for it"


def test_what_the_hub_does_not_have(cli: Cli, mirror: Path, tmp_path: Path) -> None:
    run = ["run", "--model", "constant", "-o", tmp_path / "r"]
    outcome = cli(*run, "--tasks", "pope@llava", "--data", f"hub:{mirror}")
    assert outcome.code == 2
    assert "pope@llava is not on the hub, only pope@official" in outcome.err
    outcome = cli(*run, "--tasks", "mme", "--data", f"hub:{tmp_path / 'lmms-lab'}")
    assert outcome.code == 0, "a mirror may hold the datasets without their owner's folder"
    (tmp_path / "empty").mkdir()
    outcome = cli(*run, "--tasks", "mme", "--data", f"hub:{tmp_path / 'empty'}")
    assert outcome.code == 2
    assert "lmms-lab/MME is missing" in outcome.err
