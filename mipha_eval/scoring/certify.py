"""Runs thousands of generated answers through a task's scorer and its oracles, and writes down how they compare."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mipha_eval import __version__
from mipha_eval.core.atomic import write_json
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import option_fields
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.types import Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.scoring.adversarial import adversarial_answer
from mipha_eval.scoring.answer_files import read_answers
from mipha_eval.scoring.certificate import Oracle, load_oracles, oracle_folder, oracles_digest, scorer_digest, sealed
from mipha_eval.scoring.result import Result, score_responses

TOLERANCE = 1e-9  # of an answer's worth (0 to 1) and of a metric (in percent or points)

#: options that make a task's scoring what its oracle's is: no judge, no Java
SETTINGS = {"by_rule": "true", "tokenizer": "treebank"}


@dataclass(frozen=True)
class CertifyConfig:
    """What a user asks for; see ``mipha-eval certify --help``."""

    task: str
    answers: int = 10_000
    data: str = "demo"
    output: Path = Path("certificates")
    seed: int = 0


@dataclass
class Comparison:
    """How one oracle and our scorer compare over all rounds."""

    oracle: Oracle
    disagreements: int = 0
    largest: float = 0.0
    example: str = ""

    def add_round(self, result: Result, data: Path, answers: Path) -> None:
        """Compares every answer's worth, and every metric that the oracle gives.

        Raises:
            UserError: the oracle cannot read the data.
        """
        try:
            verdict = self.oracle.score(data, answers)
        except (ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
            raise UserError(f"{self.oracle.file.name} cannot read the files in {data}: {error!r}") from error
        for score, theirs in zip(result.scores, verdict.values, strict=True):
            self.add(score.value, theirs, f"answer to {score.sample}")
        metrics: Mapping[str, float] = result.summary["metrics"]
        for name, theirs in verdict.metrics.items():
            self.add(metrics.get(name), theirs, f"metric {name}")

    def add(self, ours: float | None, theirs: float, what: str) -> None:
        difference = 0.0 if ours is None else abs(ours - theirs)
        self.largest = max(self.largest, difference)
        if ours is None or not difference <= TOLERANCE:
            self.disagreements += 1
            self.example = self.example or f"{what}: {ours} here, {theirs} there"

    def summary(self) -> dict[str, Any]:
        """What the certificate says about the oracle."""
        return {
            "oracle": f"tests/oracles/{self.oracle.file.name}",
            "follows": self.oracle.source,
            "disagreements": self.disagreements,
            "largest_difference": self.largest,
            **({"first_disagreement": self.example} if self.example else {}),
        }


def certify(config: CertifyConfig, registry: Registry) -> dict[str, Any]:
    """Compares scorer and oracles on at least `config.answers` answers and writes ``TASK.json``.

    Returns:
        The certificate.

    Raises:
        UserError: there is no oracle for the task, or no data.
    """
    owner, _ = registry.load("tasks", config.task.partition("@")[0])
    options = {
        f"{owner.name.replace('-', '_')}.{key}": value for key, value in SETTINGS.items() if key in option_fields(owner)
    }
    source = parse_source(config.data, {})
    task = build_task(config.task, options, source, registry)
    samples = read_samples(task)
    if source.root is None:
        raise UserError("an oracle reads official files; give a folder with them, or demo", flag="--data")
    oracles, missing = load_oracles(task.name)
    if task.protocol not in oracles[0].protocols:
        raise UserError(f"the oracle of {task.name} is for {', '.join(oracles[0].protocols)}, not for {task.protocol}")
    comparisons = [Comparison(oracle) for oracle in oracles]
    rng = random.Random(config.seed)
    rounds = -(-config.answers // len(samples))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            answers = write_answers(Path(folder) / "answers.jsonl", samples, rng)
            result = score_responses(task, samples, read_answers(answers, task, samples).responses)
            for comparison in comparisons:
                comparison.add_round(result, source.root, answers)
    certificate = {
        "task": task.label,
        "version": task.version,
        "protocols": list(oracles[0].protocols),
        "headline": result.summary["headline"],
        "answers": rounds * len(samples),
        "seed": config.seed,
        "data": data_digest(samples),
        "scorer": scorer_digest(task),
        "oracle_code": oracles_digest(),
        "oracle_commit": last_commit(),
        "not_installed": missing,
        "oracles": [comparison.summary() for comparison in comparisons],
    }
    certificate["sha256"] = sealed(certificate)
    write_json(config.output / f"{task.name}.json", certificate)
    return certificate


def write_answers(path: Path, samples: Sequence[Sample], rng: random.Random) -> Path:
    """A round of generated answers in LLaVA's form, one to each question."""
    with path.open("w", encoding="utf-8") as file:
        for sample in samples:
            text = adversarial_answer(rng, sample, samples)
            line = {"question_id": sample.question_id, "prompt": sample.prompt, "text": text}
            file.write(json.dumps(line) + "\n")
    return path


def data_digest(samples: Sequence[Sample]) -> str:
    rows = [(sample.id, sample.prompt, sample.label_texts) for sample in samples]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def last_commit() -> str:
    """The commit that last changed the oracles, with a ``+`` if they have changed since; outside a checkout the version."""
    folder = str(oracle_folder())
    try:
        commit = _git(folder, "log", "-1", "--format=%H", "--", ".")
        changed = _git(folder, "status", "--porcelain", "--", ".")
    except (OSError, subprocess.CalledProcessError):
        commit, changed = "", ""
    return f"{commit}{'+' if changed else ''}" if commit else f"mipha-eval {__version__}"


def _git(folder: str, *arguments: str) -> str:
    command = ["git", "-C", folder, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
