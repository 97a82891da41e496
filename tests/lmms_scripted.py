"""Answers that are written down, through lmms-eval's own run and through ours: ``python -m tests.lmms_scripted FOLDER``.

Runs in lmms-eval's environment and prints both suites' numbers as JSON, and where two runs of ours are stored.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lmms_eval import evaluator
from lmms_eval.api.model import lmms
from lmms_eval.tasks import TaskManager

from mipha_eval.core.json_value import Json
from mipha_eval.core.plugins.references import suites_tasks
from mipha_eval.core.record import record_json
from mipha_eval.core.types import Response
from mipha_eval.data.questions import read_samples
from mipha_eval.runs.evaluate import evaluate
from mipha_eval.scoring.result import score_responses
from mipha_eval.scoring.result_record import result_json
from mipha_eval.suites.lmms.find import MODEL
from tests.lmms_files import SETS, answers_to, local

#: tasks of the stored runs: the headline of one is a mean, that of the other is none
COMPARED = ("pope", "mme")


class Scripted(lmms):  # type: ignore[misc]  # lmms-eval has no types
    """Says what is written down."""

    is_simple = True

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        known = {local(name): answers_to(name) for name in SETS}
        return [known[request.args[4]][request.args[3]] for request in requests]

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: Sequence[Any]) -> list[str]:
        raise NotImplementedError


def theirs(folder: Path, tasks: Sequence[str]) -> Any:
    arguments = argparse.Namespace(output_path=str(folder / "theirs"), process_with_media=False)
    found = evaluator.simple_evaluate(
        model=Scripted(),
        tasks=list(tasks),
        task_manager=TaskManager("ERROR", include_path=str(folder), model_name=MODEL),
        bootstrap_iters=0,
        cli_args=arguments,
    )
    return {**found["results"], **found.get("groups", {})}


def ours(folder: Path) -> Any:
    found = {}
    for name in SETS:
        (task,) = suites_tasks(f"lmms:{local(name)}?include={folder}")
        samples = read_samples(task)
        responses = {sample.id: Response(text) for sample, text in zip(samples, answers_to(name), strict=True)}
        found[local(name)] = result_json(score_responses(task, samples, responses).summary)
    return found


def guessing(seed: int) -> Callable[[list[Any], str], str]:
    """A model that says one of a few words, by the question and the seed."""

    def guess(images: list[Any], prompt: str) -> str:
        return random.Random(f"{seed} {images[0].size} {prompt}").choice(("yes", "no", "yes", "no", "A", "B"))

    guess.__name__ = f"guess-{seed}"
    return guess


def stored(folder: Path) -> list[str]:
    """Two runs of models that answer otherwise."""
    tasks = [f"lmms:{local(name)}?include={folder}" for name in COMPARED]
    return [str(evaluate(guessing(seed), tasks, output=folder / "runs", progress=False).path) for seed in (1, 2)]


def grouped(folder: Path) -> list[dict[str, Json]]:
    """What a run of a group says of it as a whole, with the answers that are written down."""
    name = f"lmms:local_outer?include={folder}"
    said = {
        sample.prompt: text
        for task in suites_tasks(name)
        for sample, text in zip(read_samples(task), answers_to(task.name.removeprefix(local(""))), strict=True)
    }
    run = evaluate(lambda images, prompt: said[prompt], name, output=folder / "runs", progress=False)
    return [record_json(group) for group in run.groups]


if __name__ == "__main__":
    where = Path(sys.argv[1])
    found = {
        "theirs": theirs(where, [local(name) for name in SETS]),
        "ours": ours(where),
        "runs": stored(where),
        "their groups": theirs(where, ["local_outer"]),
        "our groups": grouped(where),
    }
    print("\n" + json.dumps(found, default=str))
