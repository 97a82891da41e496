"""A folder in which the commands of the pages can be run: runs, answers, tables and plugins under the pages' names."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

import mipha_eval as me
from tests.conftest import write_jsonl
from tests.doc_commands import fenced
from tests.guide import ROOT

DOCS, TINY = ROOT / "docs", ROOT / "mipha_eval/demo/tiny"
LIMIT = 20  # questions a task
GATE = "pope,gqa,textvqa"  # what docs/train.md measures
TASKS = f"{GATE},mme,mmbench,mmvet,scienceqa"

#: placeholders that are copies of a stored run
RUNS = ("A", "B", "RUN", "full", "lora", "before")
#: placeholders that are copies of a run of the gate's tasks
GOOD = ("good", "runs/good")
#: placeholders that are copies of the embedded checkpoint
CHECKPOINTS = ("PATH", "CHECKPOINT", "ckpt")
#: variables of the pages
VARIABLES = {"CHECKPOINT": "CHECKPOINT", "STEP": "1000", "DATA": "demo", "MIPHA_EVAL_DATA": "demo"}


def make_world(folder: Path) -> None:
    """Writes everything into a folder, from two short runs of the embedded model on the demo."""
    own = me.evaluate("mipha-tiny", TASKS, data="demo", limit=LIMIT, output=folder / "own", progress=False)
    gate = me.evaluate("mipha-tiny", GATE, data="demo", limit=LIMIT, output=folder / "gate", progress=False)
    for name in RUNS:
        shutil.copytree(own.path, folder / name)
        shutil.copytree(own.path, folder / "results/runs" / name)
    for name in GOOD:
        shutil.copytree(gate.path, folder / name / gate.path.name)
    for name in CHECKPOINTS:
        shutil.copytree(TINY, folder / name)
    for task in TASKS.split(","):
        rows = [{"question_id": row.id, "text": row.answer} for row in own[task].samples().itertuples()]
        write_jsonl(folder / f"{task}.jsonl", rows)
        shutil.copy(next(own.path.glob(f"{task}@*/result.json")), folder / f"{task}.json")
    for name in ("answers", "LLaVA-13B", "mine", "theirs", "A"):
        shutil.copy(folder / "pope.jsonl", folder / f"{name}.jsonl")
    asked = own["mme"].samples().itertuples()  # MME's lines name pictures
    lines = [{"question_id": row.id.split("#")[0], "prompt": row.question, "text": row.answer} for row in asked]
    write_jsonl(folder / "B.jsonl", lines)
    quoted = {"results": {"pope": {"alias": "pope", "pope_f1_score,none": 0.85}}, "configs": {"pope": {}}, "n-samples": {}}
    (folder / "20261101_results.json").write_text(json.dumps(quoted))
    _write_grades(folder, {row.id: row.answer for row in own["mmvet"].samples().itertuples()})
    _write_questions(folder)
    _write_blocks(folder)


def link_official(folder: Path, benchmarks: Path, answers: Path) -> None:
    """The real benchmarks, with LLaVA's answers where its archive has them."""
    data = folder / "playground/data/eval"
    data.mkdir(parents=True)
    for place in benchmarks.iterdir():
        (data / place.name).mkdir() if place.name == "pope" else (data / place.name).symlink_to(place)
    for place in (benchmarks / "pope").iterdir():
        (data / "pope" / place.name).symlink_to(place)
    (data / "pope/answers").mkdir()
    (data / "pope/answers/llava-v1.5-13b.jsonl").symlink_to(answers / "pope.jsonl")


def _write_grades(folder: Path, answers: Mapping[str, str]) -> None:
    grades = json.dumps({name: {"score": [1.0], "model": ["me"]} for name in answers})
    for name in ("model_gpt-4-grade-1runs.json", "results/llava-v1.5-13b_gpt-4-grade-3runs.json"):
        (folder / name).write_text(grades)
    (folder / "results/llava-v1.5-13b.json").write_text(json.dumps(answers))


def _write_questions(folder: Path) -> None:
    """A table of questions, and answers to them."""
    Image.new("RGB", (64, 64), "red").save(folder / "red.png")
    rows = [{"id": f"q{n}", "question": f"Colour {n}?", "answer": "red", "image": "red.png"} for n in range(6)]
    write_jsonl(folder / "questions.jsonl", rows)
    write_jsonl(
        folder / "ANSWERS.jsonl", [{"question_id": row["id"], "prompt": row["question"], "text": "red"} for row in rows[1:]]
    )
    (folder / "quizzes/capitals").mkdir(parents=True)
    (folder / "quizzes/capitals/questions.jsonl").write_text(
        '{"id": 1, "question": "Capital of France?", "answer": "Paris"}\n'
    )
    (folder / "models.toml").write_text("tasks = ['pope']\n[[model]]\nmodel = 'constant'\n")


def _write_blocks(folder: Path) -> None:
    """What the pages tell to save: plugins by their class's name, a table."""
    for block in fenced(DOCS / "plugins.md"):
        if block.language == "python":
            name = re.findall(r"^class (\w+)", block.text, re.MULTILINE)[-1]
            (folder / f"{name.lower()}.py").write_text(block.text)
    (grades,) = re.findall(r"`grades.json`[^`]*`(\{.*?\})`", (DOCS / "plugins.md").read_text())
    (folder / "grades.json").write_text(grades)
    (table,) = (block.text for block in fenced(DOCS / "tables.md") if block.language == "toml")
    (folder / "mine.toml").write_text(table)
    (run,) = (block.text for block in fenced(DOCS / "configuration.md") if block.language == "toml")
    (folder / "run.toml").write_text(run)
