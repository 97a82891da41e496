"""Presets that are asked as their papers asked them: what models see, what results say, and columns that are never mixed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.presets import read_presets
from mipha_eval.data.images import open_image
from mipha_eval.models.llava_style.pixels import Preprocessor
from mipha_eval.models.llava_style.templates import SYSTEM
from tests.conftest import Cli
from tests.image_text_checkpoints import SIDE, llava, pictures
from tests.test_generation_settings import load
from tests.test_hf_chat import picture

#: the settings of LLaVA-1.5's tower, at the size of a small checkpoint
CLIP: Any = {
    "size": {"shortest_edge": SIDE},
    "crop_size": {"height": SIDE, "width": SIDE},
    "resample": 3,
    "do_center_crop": True,
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llava(tmp_path_factory.mktemp("llava"))


def run(cli: Cli, folder: Path, checkpoint: Path, *more: str) -> dict[str, Any]:
    found = cli(
        *("run", "-m", "llava-1.5-7b-hf", "-a", f"path={checkpoint}", "--data", "demo", "--tasks", "pope,mme", "-L", "4"),
        *("--dtype", "float32", "-o", str(folder), "--json", *more),
    )
    assert found.code in (0, 3), found.err  # a random model answers what nobody can read
    made: dict[str, Any] = json.loads(found.out)
    return made


def test_the_two_ways_are_two_runs_and_two_columns(cli: Cli, tmp_path: Path, checkpoint: Path) -> None:
    own, published = run(cli, tmp_path, checkpoint), run(cli, tmp_path, checkpoint, "--as-published")
    assert own["run"] != published["run"]
    (pope, _) = published["results"]
    assert pope["as_published"] is True
    assert pope["asked"] == {"template": "vicuna_v1", "image": "pad"}
    assert "LLaVA's scripts compute in float16." in pope["differs"]
    assert "as_published" not in own["results"][0]
    table = cli("report", own["run"], published["run"], "--format", "json")
    columns = {column["task"] for column in json.loads(table.out)["columns"]}
    assert columns == {"pope@demo", "mme@demo", "pope@demo, as published", "mme@demo, as published"}
    rows = [row for group in json.loads(table.out)["groups"] for row in group["rows"]]
    ways = [{heading.endswith("as published") for heading, cell in row["cells"].items() if cell} for row in rows]
    assert ways == [{False}, {True}]
    compared = cli("compare", own["run"], published["run"])
    assert "different protocols" in compared.out + compared.err


def test_a_table_has_a_column_of_its_own_for_it(cli: Cli, tmp_path: Path, checkpoint: Path) -> None:
    published = run(cli, tmp_path, checkpoint, "--as-published")
    table = cli("report", published["run"], "--table", "mipha-paper", "--published", "none", "--format", "json")
    (row,) = [row for group in json.loads(table.out)["groups"] for row in group["rows"]]
    assert row["cells"]["POPE"] is None
    assert row["cells"]["POPE, as published"] is not None


def test_what_is_asked_otherwise_beside_is_refused(cli: Cli, tmp_path: Path, checkpoint: Path) -> None:
    for option in ("system=Hi.", "prompt=Q: {question}", "pope.num_beams=3", "template=plain"):
        found = cli(
            *("run", "-m", "llava-1.5-7b-hf", "-a", f"path={checkpoint}", "--data", "demo", "--tasks", "pope"),
            *("-o", str(tmp_path), "--as-published", "-a", option),
        )
        assert (found.code, len(found.err.strip().splitlines())) == (2, 1)
        assert "would not be as published" in found.err


def test_a_benchmark_that_the_paper_says_nothing_of_is_asked_as_usual(cli: Cli, tmp_path: Path, checkpoint: Path) -> None:
    found = cli(
        *("run", "-m", "blip2-flan-t5-xl", "-a", f"path={checkpoint}", "--data", "demo", "--tasks", "pope", "-L", "2"),
        *("--dtype", "float32", "-o", str(tmp_path), "--as-published"),
    )
    assert "nobody says how the paper of blip2-flan-t5-xl asked it" in found.err
    assert "AS PUBLISHED" not in found.out


def test_the_prompt_and_the_pixels_of_llava_through_transformers_are_llava_s(tmp_path: Path) -> None:
    """LLaVA's own preprocessing, which is held to the official code, beside transformers' image processor."""
    folder = llava(tmp_path)
    processor = pictures("CLIP", **CLIP)
    processor.save_pretrained(folder)
    settings = json.loads((folder / "processor_config.json").read_text())
    settings["image_processor"] = processor.to_dict()
    (folder / "processor_config.json").write_text(json.dumps(settings))
    adapter: Any = load("hf-chat", folder, template="vicuna_v1", image="pad")
    assert adapter.chat.render("Who?", 1) == f"{SYSTEM} USER: <image>\nWho? ASSISTANT:"
    own = Preprocessor.from_settings(processor.to_dict(), "pad", {"crop_size": None, **CLIP})
    for number in range(4):
        found = adapter.read_images((picture(number),)).inputs["pixel_values"][0]
        assert torch.allclose(found, torch.from_numpy(own(open_image(picture(number)))), atol=1e-6)


def test_presets_are_listed_with_their_sources(cli: Cli) -> None:
    listed = json.loads(cli("list", "models", "--presets", "--json").out)
    assert {"llava-1.5-7b", "blip2-flan-t5-xl", "qwen2.5-vl-7b", "mipha-tiny"} <= listed.keys()
    blip = listed["blip2-flan-t5-xl"]
    assert blip["as_published"]["vqav2"]["options"]["num_beams"] == "5"
    assert blip["unverified"]
    told = cli("list", "models", "--presets", "-m", "llava-1.5-13b")
    assert "published as LLaVA-1.5-13B: " in told.out
    assert cli("list", "models", "--presets", "-m", "hf-chat").code == 2
    assert cli("list", "tasks", "--presets").code == 2


def test_two_presets_of_a_name_and_one_like_nobody_are_named(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets.toml").write_text('[a]\nadapter = "constant"\nsummary = "A."\nlike = "c"\n')
    with pytest.raises(UserError, match="preset a: unknown preset 'c'"):
        read_presets(tmp_path, tmp_path)
    (tmp_path / "presets/b.toml").write_text('[a]\nadapter = "constant"\nsummary = "A."\n')
    with pytest.raises(UserError, match="as another file of"):
        read_presets(tmp_path, tmp_path)


def test_a_question_file_is_no_benchmark(cli: Cli, tmp_path: Path, checkpoint: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"question_id": 1, "text": "Who?"}) + "\n")
    given = ("--questions", str(questions), "--image-folder", str(tmp_path), "--answers", str(tmp_path / "answers.jsonl"))
    model = ("-m", "blip2-flan-t5-xl", "-a", f"path={checkpoint}")
    for more, words in ((["--as-published"], "a question file is none"), (["-a", "pope.num_beams=2"], "pope.num_beams")):
        found = cli("predict", *model, *given, *more)
        assert (found.code, len(found.err.strip().splitlines())) == (2, 1)
        assert words in found.err
