"""What presets say of how models were asked, held to prompts that official code made (tests/fixtures/asked)."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pytest

from mipha_eval.core.plugins.model import Model
from mipha_eval.core.plugins.registry import Registry, plugin_folder
from mipha_eval.core.plugins.selection import build_model
from mipha_eval.core.types import Request, Sample
from mipha_eval.models.wording import Wording
from tasks.mmbench import asked as mmbench_text
from tasks.scienceqa import prompt_of as scienceqa_text

ROOT = Path(__file__).parents[1]
RECORDED = ROOT / "tests/fixtures/asked"
NEEDED = {"adapter", "path", "summary", "licence", "source"}
KEYS = NEEDED | {"published", "unverified", "like", "asked"}
OPTIONS = {"system", "template", "prompt", "format", "image", "num_beams", "length_penalty", "repetition_penalty"}
OPTIONS |= {"min_new_tokens", "max_new_tokens"}
TASKS = {file.stem.replace("_", "-") for file in (ROOT / "tasks").glob("[!_]*.py")}
#: what stands for the beginning of a text, and around an image, in official prompts and not in a template here
MARKS = {"<s>": "", "<|begin_of_text|>": "", "<fake_token_around_image>": ""}


def presets() -> dict[str, dict[str, Any]]:
    files = sorted((plugin_folder("model_adapters") / "presets").glob("*.toml"))
    tables = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
    return {name: table for each in tables for name, table in each.items()}


PRESETS = presets()
REGISTRY = Registry()
PRESET = {name: preset for name in PRESETS if (preset := REGISTRY.preset(name))}
SAMPLES = {sample["name"]: sample for sample in json.loads((RECORDED / "samples.json").read_text(encoding="utf-8"))}
RECORDS = [
    (preset, row)
    for file in sorted(RECORDED.glob("*.json"))
    if file.name != "samples.json"
    for row in json.loads(file.read_text(encoding="utf-8"))["rows"]
    for preset in row["presets"]
]
ROWS = [pytest.param(preset, row, id=f"{preset} {row['sample']}") for preset, row in RECORDS]


@cache
def model(name: str) -> Model:
    """A preset that is asked as its paper asked it; nothing is loaded."""
    return build_model(name, {}, REGISTRY, as_published=True)


def sample_of(row: Mapping[str, Any]) -> Sample:
    known = SAMPLES[row["sample"]]
    stem = known["stem"] if known["task"].startswith("mmbench") else ""
    return Sample("1", known["prompt"], (), (), 1, question=stem, choices=tuple(known["options"]))


def whole(template: str, system: str | None, user: str) -> str:
    """The prompt that a template makes, with a mark for the picture."""
    wording = Wording.of(template, system)
    if wording.named:
        return wording.named.around(user, 1, "<image>")
    content = [{"type": "image"}, {"type": "text", "text": user}]
    environment = jinja2.Environment(keep_trailing_newline=True, autoescape=False)
    return environment.from_string(str(wording.template)).render(messages=[{"role": "user", "content": content}])


def plain(prompt: str) -> str:
    for mark, instead in MARKS.items():
        prompt = prompt.replace(mark, instead)
    return prompt


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_tables_hold_what_is_known(name: str) -> None:
    table = PRESETS[name]
    assert NEEDED <= table.keys() <= KEYS
    assert table.get("like", name) in PRESETS
    asked = table.get("asked", {})
    tables = {key: value for key, value in asked.items() if isinstance(value, dict)}
    assert tables.keys() <= TASKS
    for options in [*tables.values(), {key: value for key, value in asked.items() if key not in tables}]:
        assert options.keys() <= OPTIONS | {"source", "differs"}
        assert not options or options["source"], "every table says where it is from"
        assert options.get("format", "none") == "none"
        assert options.get("image", "pad") in ("pad", "crop", "processor")


def test_published_numbers_are_there() -> None:
    named = {table["published"] for table in PRESETS.values() if "published" in table}
    files = (ROOT / "results/published").glob("*.csv")
    rows = [row["model"] for file in files for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines())]
    assert named <= set(rows)


@pytest.mark.parametrize(("preset", "row"), ROWS)
def test_official_prompts(preset: str, row: dict[str, Any]) -> None:
    """The user's turn, and the whole prompt where the preset names its template."""
    asked, sample = model(preset), sample_of(row)
    asking = asked.asking(row["task"])
    user = asking(Request(sample.prompt), sample).text
    template = asking.template or getattr(asked.adapter, "template", "")
    system: str | None = getattr(asked.adapter, "system", None)
    if template:
        assert whole(template, system, user) == plain(row["prompt"])
    else:
        assert user == row["user"]
    if system:
        assert system in row["prompt"]


def test_samples_are_what_tasks_ask() -> None:
    """The questions of MMBench and ScienceQA, which consist of parts; the others are a line and a format line."""
    for name in ("mmbench", "mmbench-hint", "mmbench-cn"):
        sample = SAMPLES[name]
        cells = {"question": sample["stem"], "hint": sample["hint"], **dict(zip("ABCD", sample["options"], strict=False))}
        assert mmbench_text(cells) == sample["question"]
    sample = SAMPLES["scienceqa"]
    problem = {"hint": sample["hint"], "question": sample["stem"], "choices": sample["options"]}
    assert scienceqa_text(problem) == sample["prompt"]


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_can_be_asked_both_ways(name: str) -> None:
    assert build_model(name, {}, REGISTRY).askings.given == {}
    assert model(name).published is REGISTRY.preset(name)


def test_every_asked_table_has_a_recorded_prompt() -> None:
    """But for those that are options alone, and those that nothing of its authors' was found for."""
    recorded = {(preset, row["task"].partition("@")[0]) for preset, row in RECORDS}
    missing = [
        f"{name} {task}"
        for name in PRESETS
        for task, asked in PRESET[name].asked.items()
        if task and asked.options.keys() & {"prompt", "template"} and (name, task.replace("_", "-")) not in recorded
    ]
    assert not [each for each in missing if not each.startswith("paligemma2")]
