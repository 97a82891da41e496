"""What presets say of how models were asked, held to prompts that official code made (tests/fixtures/asked)."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest

from mipha_eval.core.plugins.registry import plugin_folder
from mipha_eval.models.llava_style.templates import TEMPLATES
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
    found = {name: table for each in tables for name, table in each.items()}
    assert len(found) == sum(map(len, tables)), "a name stands in two files"
    return found


PRESETS = presets()
SAMPLES = {sample["name"]: sample for sample in json.loads((RECORDED / "samples.json").read_text(encoding="utf-8"))}
RECORDS = [
    (preset, row)
    for file in sorted(RECORDED.glob("*.json"))
    if file.name != "samples.json"
    for row in json.loads(file.read_text(encoding="utf-8"))["rows"]
    for preset in row["presets"]
]
ROWS = [pytest.param(preset, row, id=f"{preset} {row['sample']}") for preset, row in RECORDS]


def asked_tables(name: str) -> dict[str, Any]:
    """A preset's tables on top of those of the preset that it is like."""
    own, like = PRESETS[name].get("asked", {}), PRESETS[name].get("like")
    found = asked_tables(like) if like else {}
    for key, value in own.items():
        found[key] = {**found.get(key, {}), **value} if isinstance(value, dict) else value
    return found


def asking(name: str, task: str) -> dict[str, Any]:
    """The options for a benchmark: those for all, and those for this one."""
    tables = asked_tables(name)
    general = {key: value for key, value in tables.items() if not isinstance(value, dict)}
    return {**general, **tables.get(task.partition("@")[0], {})}


def jinja(text: str) -> jinja2.Template:
    return jinja2.Environment(keep_trailing_newline=True, autoescape=False).from_string(text)


def user_text(options: Mapping[str, Any], sample: Mapping[str, Any]) -> str:
    pattern = options.get("prompt", "{question}")
    options_text = "\n".join(f"{letter}. {option}" for letter, option in zip("ABCDEFGH", sample["options"], strict=False))
    if "{{" in pattern:
        text = jinja(pattern).render(
            question=sample["question"], stem=sample["stem"], hint=sample["hint"], options=options_text
        )
    else:
        text = pattern.replace("{question}", sample["question"])
    line = "" if options.get("format") == "none" else sample["line"]
    return "\n".join(part for part in (text, line) if part)


def whole(template: str, user: str) -> str:
    if template in TEMPLATES:
        return f"{TEMPLATES[template].opening}<image>\n{user}{TEMPLATES[template].closing}"
    content = [{"type": "image"}, {"type": "text", "text": user}]
    return jinja(template).render(messages=[{"role": "user", "content": content}])


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
    options, sample = asking(preset, row["task"]), SAMPLES[row["sample"]]
    if row["sample"] == "mmbench-cn" and "mmbench" in asked_tables(preset):
        assert options.get("format") != "none", "a line of the preset's would stand behind Chinese questions, too"
    user = user_text(options, sample)
    if options.get("template"):
        assert whole(options["template"], user) == plain(row["prompt"])
    else:
        assert user == row["user"]
    if options.get("system"):
        assert options["system"] in row["prompt"]


def test_samples_are_what_tasks_ask() -> None:
    """The questions of MMBench and ScienceQA, which consist of parts; the others are a line and a format line."""
    for name in ("mmbench", "mmbench-hint", "mmbench-cn"):
        sample = SAMPLES[name]
        cells = {"question": sample["stem"], "hint": sample["hint"], **dict(zip("ABCD", sample["options"], strict=False))}
        assert mmbench_text(cells) == sample["question"]
    sample = SAMPLES["scienceqa"]
    problem = {"hint": sample["hint"], "question": sample["stem"], "choices": sample["options"]}
    assert scienceqa_text(problem) == sample["prompt"]


def test_every_asked_table_has_a_recorded_prompt() -> None:
    """But for those that are options alone, and those that nothing of its authors' was found for."""
    recorded = {(preset, row["task"].partition("@")[0]) for preset, row in RECORDS}
    missing = [
        f"{name} {task}"
        for name in PRESETS
        for task, options in asked_tables(name).items()
        if isinstance(options, dict) and options.keys() & {"prompt", "template"} and (name, task) not in recorded
    ]
    assert not [each for each in missing if not each.startswith("paligemma2")]
