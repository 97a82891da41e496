"""Scoring without a model: an answer file that any suite made, or a stored run again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mipha_eval.answer_files import read_answers
from mipha_eval.data.source import DataSource, parse_source
from mipha_eval.errors import UserError
from mipha_eval.options import parse_pairs
from mipha_eval.plugins import Registry
from mipha_eval.scoring import Result, score_responses
from mipha_eval.selection import build_task, read_samples
from mipha_eval.store import RunFolder


def score_file(name: str, answers: Path, data: str, options: Sequence[str], registry: Registry) -> Result:
    """Scores an answer file under ``task`` or ``task@protocol``.

    Raises:
        UserError: the data is missing, or the answers do not belong to the task's questions.
    """
    task = build_task(name, parse_pairs(options), parse_source(data, {}), registry)
    samples = read_samples(task)
    return score_responses(task, samples, read_answers(answers, task, samples))


def score_run(path: Path, registry: Registry) -> list[Result]:
    """Scores the stored responses of every task of a run again, from the run's own copy of the questions."""
    if not (path / "manifest.json").exists():
        raise UserError(f"{path} is no run folder; to score answers to a task add --answers FILE")
    folder = RunFolder.open(path)
    kind = folder.manifest()["data"]
    source = DataSource("demo" if kind == "demo" else "hub" if kind == "hub" else "folder", Path(kind))
    results = []
    for label in folder.tasks():
        stored = folder.task(label)
        task = build_task(label, {}, source, registry)
        responses = {sample: response for sample, (_, response) in stored.responses().items()}
        results.append(score_responses(task, stored.samples(), responses))
    return results
