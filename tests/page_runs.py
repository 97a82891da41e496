"""Real runs without a network of any kind, for the tests of pages: scripted answers to the demo's questions."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.runs.evaluate import evaluate
from tests.conftest import read_json, read_jsonl
from tests.scripted_adapter import script_key

PLUGIN = Path(__file__).with_name("scripted_adapter.py")
UNREADABLE = "It is hard to say."

#: a question and a source of chance -> fields of a response
Answers = Callable[[Task, Sample, random.Random], Mapping[str, Any]]


@dataclass(frozen=True)
class Made:
    """How a run is made."""

    tasks: Sequence[str]
    seed: int
    size: str = ""
    data: str = "demo"
    limit: int | None = None
    blind: bool = False
    judge: JudgeChoice | None = None
    plugins: Sequence[Path] = ()


def make_run(folder: Path, made: Made, answers: Answers) -> Path:
    """Runs scripted answers through the whole of ``mipha-eval run``; returns the run's folder."""
    registry = Registry([PLUGIN, *made.plugins])
    source = parse_source(made.data, {})
    script: dict[str, Mapping[str, Any]] = {}
    for name in made.tasks:
        task = build_task(name, {}, source, registry)
        for sample in read_samples(task):
            chance = random.Random(f"{made.seed} {name} {sample.id}")
            script[script_key(task.request(sample))] = answers(task, sample, chance)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"script-{made.seed}.json"
    path.write_text(json.dumps(script))
    options: dict[str, Any] = {"path": path, **({"size": made.size} if made.size else {})}
    run = evaluate(
        "scripted",
        made.tasks,
        data=made.data,
        output=folder / "runs",
        limit=made.limit,
        blind=made.blind,
        progress=False,
        probabilities=True,
        judge=made.judge,
        plugins=[PLUGIN, *made.plugins],
        **options,
    )
    return run.path


def mixed_answers(task: Task, sample: Sample, chance: random.Random) -> Mapping[str, Any]:
    """Right ones, wrong ones, some that nobody can read, and failures."""
    draw = chance.random()
    if draw < 0.02:
        return {"text": "", "finish": "error", "error": "the picture is broken"}
    if draw < 0.06 and task.name != "vqav2":
        return {"text": UNREADABLE}
    choices = task.possible_answers(sample)
    right = draw < 0.6
    if not choices:
        return {"text": sample.target[0] if right else chance.choice(["red", "two", "nothing"])}
    picked = next((name for name, good in choices.items() if good == right), next(iter(choices)))
    weights = [chance.random() + (name == picked) for name in choices]
    text = f"{picked}, as far as I can see." if task.name == "pope" else picked
    return {"text": text, "probabilities": [weight / sum(weights) for weight in weights]}


@dataclass(frozen=True)
class Told:
    """What a run's files say of a task, read without the library."""

    samples: Sequence[Mapping[str, Any]]
    responses: Mapping[str, Mapping[str, Any]]
    scores: Mapping[str, Mapping[str, Any]]
    result: Mapping[str, Any]

    @classmethod
    def of(cls, run: Path, label: str) -> Told:
        folder = run / label
        return cls(
            read_jsonl(folder / "samples.jsonl"),
            {row["sample"]: row for row in read_jsonl(folder / "responses.jsonl")},
            {row["sample"]: row for row in read_jsonl(folder / "scores.jsonl")},
            read_json(folder / "result.json"),
        )

    def ids(
        self, fits: Callable[[Mapping[str, Any], Mapping[str, Any] | None, Mapping[str, Any] | None], bool]
    ) -> list[str]:
        """Ids of the samples for which `fits`(sample, response, score), in the run's order."""
        return [
            sample["id"]
            for sample in self.samples
            if fits(sample, self.responses.get(sample["id"]), self.scores.get(sample["id"]))
        ]


def demo_runs(folder: Path) -> tuple[Path, Path]:
    """Two runs on the same questions."""
    made = Made(("pope", "mmbench", "vqav2"), 1, "3")
    return make_run(folder, made, mixed_answers), make_run(folder, replace(made, seed=2, size="0.5"), mixed_answers)
