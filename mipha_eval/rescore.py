"""Scoring without a model: an answer file that any suite made, or a stored run again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mipha_eval.answer_files import read_answers
from mipha_eval.equivalence import equivalence_of
from mipha_eval.errors import UserError
from mipha_eval.options import parse_pairs
from mipha_eval.plugins import Registry
from mipha_eval.prepare import Work
from mipha_eval.scoring import Result, score_responses
from mipha_eval.selection import build_task, parse_source, read_samples
from mipha_eval.store import RunFolder
from mipha_eval.stored_task import stored_task


@dataclass(frozen=True)
class ScoreConfig:
    """What a user asks for; see ``mipha-eval score --help``."""

    task: str
    answers: Path
    data: str = "hub"
    annotations: Path | None = None
    options: Sequence[str] = ()
    subset: bool = False


def score_file(config: ScoreConfig, registry: Registry) -> Result:
    """Scores an answer file under ``task`` or ``task@protocol``.

    Raises:
        UserError: the data is missing, or the answers do not belong to the task's questions.
    """
    source = dataclasses.replace(parse_source(config.data, {}), annotations=config.annotations)
    name = config.task.partition("@")[0].replace("-", "_")
    pairs = {key if "." in key else f"{name}.{key}": text for key, text in parse_pairs(config.options).items()}
    others = [key for key in pairs if not key.startswith(f"{name}.")]
    if others:
        raise UserError(f"option {others[0]} is of another task than {config.task}")
    task = build_task(config.task, pairs, source, registry)
    samples = read_samples(task)
    found = read_answers(config.answers, task, samples, subset=config.subset)
    result = score_responses(task, samples, found.responses)
    standing = {"left_out": found.left_out, "total": len(samples), "demo": source.kind == "demo"}
    return dataclasses.replace(result, summary={**result.summary, **standing})


def score_run(path: Path, registry: Registry) -> list[Result]:
    """Scores the stored responses of every task of a run again, from the run's own copy of questions and options."""
    if not (path / "manifest.json").exists():
        raise UserError(f"{path} is no run folder; to score answers to a task add --answers FILE")
    folder = RunFolder.open(path)
    results = []
    for label in folder.tasks():
        stored = folder.task(label)
        record = stored.read_task()
        task = stored_task(folder, label, registry)
        samples = stored.samples()
        work = Work(task, samples, len(samples), record.get("probabilities", False))
        keys = {sample.id: work.request(sample).key for sample in samples}
        answered = stored.responses()
        responses = {name: entry.response for name, entry in answered.items() if keys.get(name) == entry.key}
        result = score_responses(task, samples, responses)
        checks = equivalence_of(label, folder)
        results.append(dataclasses.replace(result, summary={**result.summary, **record["standing"], **checks}))
    return results
