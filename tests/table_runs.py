"""Stored runs with made-up answers, and a fixed set of them for golden tables.

``python -m tests.table_runs`` writes ``tests/golden`` anew; look at the difference before it is committed.
"""

from __future__ import annotations

import json
import os
import random
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mipha_eval.core.atomic import write_json, write_lines
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Response, Sample
from mipha_eval.engine.task_input import TaskInput, task_record
from mipha_eval.reporting.formats import RENDERERS
from mipha_eval.reporting.make import report
from mipha_eval.scoring.result import score_responses
from mipha_eval.scoring.result_record import Effort, result_json
from mipha_eval.scoring.run_context import RunContext
from mipha_eval.store.responses import response_json
from mipha_eval.store.run_folder import RunFolder

GOLDEN = Path(__file__).parent / "golden"
SOURCE = DataSource("folder", Path("/nowhere"))

#: answers of the fixed runs: right or wrong for each of 200 questions
QUESTIONS = 200


def unread() -> bytes:
    raise OSError("made-up questions have no images")


def sample_of(task: Task, number: int) -> Sample:
    """A question of the task's kind with an image of its own."""
    image = Image(f"{number}.jpg", f"/nowhere/{number}.jpg", unread)
    category = {"pope": ("adversarial", "random", "popular")[number % 3], "gqa": "query"}.get(task.name, "")
    label = "yes" if number % 2 else "no"
    return Sample(f"q{number}", f"Question {number}?", (label,), (image,), number, category)


def write_run(path: Path, answers: Mapping[str, Sequence[str | None]], **told: Any) -> Path:
    """A finished run.

    Args:
        answers: ``task@protocol`` -> for each question the answer, or None for a failed request.
        told: of the manifest (model, options, weights, blind, config, about) or the results (limited, ...).
    """
    about: dict[str, Any] = {key: told.pop(key) for key in ("options", "weights", "blind", "config", "about") if key in told}
    model = told.pop("model", path.name)
    path.mkdir(parents=True)
    write_json(path / "manifest.json", {"schema": 1, "model": model, "data": "/nowhere", **about})
    folder = RunFolder(path)
    for label, texts in answers.items():
        task = build_task(label, {}, SOURCE, Registry())
        samples = [sample_of(task, number) for number in range(len(texts))]
        responses = {
            sample.id: Response.failure("broken") if text is None else Response(text)
            for sample, text in zip(samples, texts, strict=True)
        }
        result = score_responses(task, samples, responses)
        total = (task.rows.get(task.protocol) or [len(samples)])[0]  # as if all were asked
        context = RunContext(model, total, limited=False, demo=False, blind=False)
        place = folder.task(label)
        place.write_samples(samples)
        rows = [{"sample": name, "key": "", "images": [], **response_json(given)} for name, given in responses.items()]
        write_lines(place.path / "responses.jsonl", rows)
        place.write_scores(result.scores)
        place.write_task(task_record(TaskInput(task, samples, total)))
        summary = result.summary.of_run(context, Effort(), None)
        write_json(place.path / "result.json", {**result_json(summary), "certificate": "", **told})
    return path


def texts_of(label: str, right: Sequence[bool]) -> list[str]:
    """Answers that are right or wrong as asked."""
    task = build_task(label, {}, SOURCE, Registry())
    other = {"yes": "no", "no": "yes"}
    labels = [sample_of(task, number).target[0] for number in range(len(right))]
    return [text if good else other[text] for text, good in zip(labels, right, strict=True)]


def some_right(share: float, seed: int) -> list[bool]:
    draw = random.Random(seed)
    return [draw.random() < share for _ in range(QUESTIONS)]


def fixed_runs(folder: Path) -> list[Path]:
    """The best, one that no test tells from it, a poor one, one with failures, another protocol, a strange name."""
    best = some_right(0.9, seed=1)
    near = [not good if number in (3, 50, 51) else good for number, good in enumerate(best)]
    poor = some_right(0.5, seed=2)
    labels = ("gqa@testdev", "pope@llava", "textvqa@plain")
    told: dict[str, Any] = {"about": {"parameters": "3", "resolution": "384"}}
    runs = [
        write_run(folder / name, {label: texts_of(label, right) for label in labels[:2]}, **told)
        for name, right in (("best", best), ("near", near), ("poor", poor))
    ]
    broken: list[str | None] = [*texts_of("gqa@testdev", best[:-3]), None, None, None]
    runs.append(write_run(folder / "limited", {"gqa@testdev": broken}, limited=True, **told))
    runs.append(write_run(folder / "official", {"pope@official": texts_of("pope@official", best)}, **told))
    runs.append(write_run(folder / "strange", {"gqa@testdev": texts_of("gqa@testdev", poor)}, model="50% <b>|a_b|</b> $x$"))
    return runs


def golden_report(ending: str) -> str:
    """The fixed table in a format, from runs in the current folder's ``runs``."""
    text = report(
        [Path("runs") / name for name in ("best", "near", "poor", "limited", "official", "strange")],
        table="golden.toml",
        format={"tex": "latex"}.get(ending, ending),
        intervals=True,
        rows=["best:name=Mipha-3B", "near:llm=Phi-2", "poor:llm=Phi-1.5"],
    )
    return settled(text)


def settled(text: str) -> str:
    """Long numbers cut, since their last digits depend on numpy's version."""
    return re.sub(r"\d+\.\d{7,}", lambda number: str(round(float(number[0]), 4)), text)


DEFINITION = """
title = "Golden: 100 % of what tables show"
order = "size"
columns = ["gqa", "pope", "textvqa", { heading = "POPE acc.", task = "pope@llava", metric = "accuracy", decimals = 2 }]
published = ["LLaVA-1.5-7B", "Mipha-3B", "TinyLLaVA-Phi-2-SigLIP-3.1B (share)"]

[[fields]]
key = "llm"
heading = "LLM"

[[groups]]
title = "up to 4 B"
up_to = 4

[[groups]]
title = "larger ones"
"""


def prepare_golden(folder: Path) -> None:
    """Runs and definition, in the folder that is to be the current one."""
    fixed_runs(folder / "runs")
    (folder / "golden.toml").write_text(DEFINITION, encoding="utf-8")


def json_rows(text: str) -> list[dict[str, Any]]:
    """The rows of a table's JSON."""
    return [row for group in json.loads(text)["groups"] for row in group["rows"]]


ENDINGS = {"latex": "tex"}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare_golden(folder)
        os.chdir(folder)
        GOLDEN.mkdir(exist_ok=True)
        for kind in RENDERERS:
            ending = ENDINGS.get(kind, kind)
            (GOLDEN / f"table.{ending}").write_text(golden_report(ending), encoding="utf-8")


if __name__ == "__main__":
    main()
