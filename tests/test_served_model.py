"""A real image-text model behind ``transformers serve`` and in this process: the same texts."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from tests.conftest import Cli, read_jsonl
from tests.image_text_checkpoints import llava

if importlib.util.find_spec("fastapi") is None or importlib.util.find_spec("uvicorn") is None:
    pytest.skip("transformers[serving] is not installed", allow_module_level=True)

QUESTIONS = (
    "What is it?",
    "Is there a dog?",
    "[Name] it.",
    "7 or 8?",
    "Qu'est-ce que c'est?",
    "\u8fd9\u662f\u4ec0\u4e48\uff1f",
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llava(tmp_path_factory.mktemp("served") / "llava")


def serve(checkpoint: Path) -> str:
    program = Path(sys.executable).with_name("transformers")
    return f"{program} serve {checkpoint} --device cpu --dtype float32 --host 127.0.0.1 --port {{port}}"


@pytest.fixture
def asked(tmp_path: Path) -> list[Any]:
    """Questions about four pictures, in two formats, one of them with an orientation, and without a picture."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    for name, kind, size, more in (
        ("a.jpg", "JPEG", (80, 60), {}),
        ("b.png", "PNG", (30, 70), {}),
        ("c.jpg", "JPEG", (90, 40), {"exif": exif}),
    ):
        Pillow.effect_noise(size, 80).convert("RGB").save(tmp_path / name, kind, **more)
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:500])
    names = [*(each for each in ("a.jpg", "b.png", "c.jpg", None) for _ in QUESTIONS), "broken.jpg"]
    rows = [
        {"question_id": place, "text": QUESTIONS[place % len(QUESTIONS)], **({"image": name} if name else {})}
        for place, name in enumerate(names)
    ]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ["--questions", tmp_path / "q.jsonl", "--image-folder", tmp_path, "--max-new-tokens", 12]


def test_the_texts_are_those_of_the_model_here(cli: Cli, checkpoint: Path, asked: list[Any], tmp_path: Path) -> None:
    """But for an empty one, which is no answer of a server's."""
    here = cli(
        "predict", "-m", "hf-chat", "-a", f"path={checkpoint}", "--device", "cpu", *asked, "--answers", tmp_path / "h"
    )
    assert here.code == 3, here.err  # for the broken picture
    there = cli(
        *("predict", "-m", "openai-api", "-a", f"model={checkpoint}", "--serve", serve(checkpoint), *asked),
        *("--answers", tmp_path / "t"),
    )
    assert there.code == 3, there.err
    ours, theirs = read_jsonl(tmp_path / "h"), read_jsonl(tmp_path / "t")
    assert len(theirs) == 4 * len(QUESTIONS) + 1
    assert [row["text"] for row in theirs] == [row["text"] or None for row in ours]
    assert len({row["text"] for row in theirs}) > len(QUESTIONS)
    assert "is broken" in theirs[-1]["error"]
    assert theirs[-1]["error"] == ours[-1]["error"]


def test_what_it_ignores_and_refuses(cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    """It knows no logprobs, and no model by another name."""
    where = ["-t", "mme", "--data", "demo", "-L", 4, "-o", tmp_path, "--json"]
    asked = ["run", "-m", "openai-api", "--serve", serve(checkpoint), *where]
    outcome = cli(*asked, "-a", f"model={checkpoint}", "--probabilities")
    [result] = outcome.json["results"]
    assert (result["n"] + result["failed"], result["served"]["ignored"], result["probabilities"]) == (
        4,
        {"logprobs": 4},
        None,
    )
    assert result["served"]["served_as_another"] == []
    assert outcome.err.count("the server gives no logprobs") == 1
    other = cli(*asked, "-a", "model=another")
    assert (other.code, "Traceback" in other.err) == (2, False), other.err
    [line] = [line for line in other.err.splitlines() if line.startswith("error: ")]
    assert "model another: HTTP 400: Server is pinned to" in line
