"""Text in pictures as a floor: real words drawn and read by the real package, and what is said without it."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_model
from mipha_eval.core.types import Image, Request
from tests.conftest import Cli, read_json, read_jsonl

PACKAGES = ("rapidocr", "rapidocr_onnxruntime")

installed = pytest.mark.skipif(
    not any(importlib.util.find_spec(name) for name in PACKAGES) or importlib.util.find_spec("onnxruntime") is None,
    reason="the extra ocr is not installed",
)
# of its own dependencies' making
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def sign(*lines: tuple[str, int], size: tuple[int, int] = (360, 160)) -> bytes:
    """White paper with lines of text below each other, each in letters of so many pixels."""
    picture = Pillow.new("RGB", size, "white")
    draw, top = ImageDraw.Draw(picture), 12
    for text, pixels in lines:
        draw.text((20, top), text, fill="black", font=ImageFont.load_default(pixels))
        top += pixels + 16
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def ocr(**options: str) -> ModelAdapter:
    return build_model("ocr", options, Registry()).adapter


def asked(data: bytes, question: str = "What does it say?") -> Request:
    return Request(question, (Image("sign.png", "/drawn/sign.png", lambda: data),))


@installed
def test_drawn_words_are_read() -> None:
    """All of them in their order, or those in the highest letters; nothing on an empty page; a broken file is a failure."""
    data = sign(("EXIT", 48), ("platform", 28))
    (found,) = ocr().respond([asked(data)])
    assert found.text == "EXIT platform"
    (found,) = ocr(lines="largest").respond([asked(sign(("platform", 24), ("EXIT", 52)))])
    assert found.text == "EXIT"
    empty, broken = ocr().respond([asked(sign()), asked(b"no picture")])
    assert (empty.text, empty.error) == ("", "")
    assert "is not an image" in broken.error
    assert not broken.text


@installed
def test_a_run_reads_each_picture_once(cli: Cli, tmp_path: Path) -> None:
    """It is a floor; the versions of what reads are a part of the run's identity; questions do not matter."""
    outcome = cli("run", "-m", "ocr", "-t", "textvqa", "--data", "demo", "-L", 12, "-o", tmp_path, "--json")
    assert outcome.code in (0, 3), outcome.err
    (result,) = outcome.json["results"]
    assert (result["floor"], result["n"], result["failed"]) == (True, 12, 0)
    assert "onnxruntime" in read_json(Path(outcome.json["run"]) / "manifest.json")["weights"]
    rows = read_jsonl(Path(outcome.json["run"]) / "textvqa@demo/responses.jsonl")
    assert any(row["text"] for row in rows)
    assert "FLOOR" in (Path(outcome.json["run"]) / "report.md").read_text()
    adapter, data = ocr(), sign(("EXIT", 48))
    assert adapter.identity(asked(data, "What?")) == adapter.identity(asked(data, "Where?"))


class Found:
    """What the newer package gives."""

    def __init__(self, lines: list[tuple[str, float]]) -> None:
        self.txts = tuple(text for text, _ in lines) or None
        self.boxes = [[(0, 0), (50, 0), (50, height), (0, height)] for _, height in lines]


def test_both_packages_forms_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins give lines as each package does; the pixels that they are given are BGR."""
    seen: list[Any] = []
    lines = [("small", 9.0), ("large", 20.0), ("last", 9.0)]

    rows = [[box, text, 0.9] for box, (text, _) in zip(Found(lines).boxes, lines, strict=True)]

    def giving(found: Any) -> Any:
        def read(pixels: Any) -> Any:
            seen.append(pixels[0, 0].tolist())
            return found

        return lambda **options: read

    newer, older = giving(Found(lines)), giving((rows, [0.1]))

    file = io.BytesIO()
    Pillow.new("RGB", (4, 4), (1, 2, 3)).save(file, "PNG")
    monkeypatch.setitem(sys.modules, "onnxruntime", types.ModuleType("onnxruntime"))
    for name, engine in zip(PACKAGES, (newer, older), strict=True):
        for other in PACKAGES:
            module: Any = types.ModuleType(other) if other == name else None
            if module is not None:
                module.RapidOCR, module.__spec__ = engine, importlib.util.spec_from_loader(name, None)
            monkeypatch.setitem(sys.modules, other, module)
        assert [each.text for each in ocr().respond([asked(file.getvalue())])] == ["small large last"]
        assert [each.text for each in ocr(lines="largest").respond([asked(file.getvalue())])] == ["large"]
    assert seen == [[3, 2, 1]] * 4


@pytest.mark.parametrize("missing", [PACKAGES, ("onnxruntime",)])
def test_without_the_extra_it_is_one_line(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    """Before anything is read or written."""
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    outcome = cli("run", "-m", "ocr", "-t", "textvqa", "--data", "demo", "-o", tmp_path / "runs")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1), outcome.err
    assert "pip install 'mipha-eval[ocr]'" in outcome.err
    assert not list((tmp_path / "runs").glob("*"))
    questions = tmp_path / "q.jsonl"
    questions.write_text(json.dumps({"question_id": 1, "text": "What?", "image": "a.png"}) + "\n")
    (tmp_path / "a.png").write_bytes(sign())
    files = ["--questions", questions, "--image-folder", tmp_path, "--answers", tmp_path / "a.jsonl"]
    outcome = cli("predict", "-m", "ocr", *files)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1), outcome.err
