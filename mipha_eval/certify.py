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
from mipha_eval.adversarial import adversarial_answer
from mipha_eval.answer_files import read_answers
from mipha_eval.certificates import is_installed, load_oracle, oracle_files, scorer_digest
from mipha_eval.errors import UserError
from mipha_eval.options import option_fields
from mipha_eval.plugins import Registry
from mipha_eval.scoring import Result, score_responses
from mipha_eval.selection import build_task, parse_source, read_samples
from mipha_eval.store import write_json
from mipha_eval.types import Sample

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

    disagreements: int = 0
    largest: float = 0.0
    example: str = ""

    def add(self, ours: float | None, theirs: float, what: str) -> None:
        difference = float("inf") if ours is None else abs(ours - theirs)
        if difference <= TOLERANCE:
            self.largest = max(self.largest, difference)
            return
        self.disagreements += 1
        self.largest = max(self.largest, difference)
        self.example = self.example or f"{what}: {ours} here, {theirs} there"


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
        raise UserError("an oracle reads official files; give --data FOLDER or demo")
    files = oracle_files(task.name)
    there = [file for file in files if is_installed(file)]
    comparisons = {file: Comparison() for file in there}
    rng = random.Random(config.seed)
    rounds = -(-config.answers // len(samples))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            answers = write_answers(Path(folder) / "answers.jsonl", samples, rng)
            result = score_responses(task, samples, read_answers(answers, task, samples).responses)
            for file, comparison in comparisons.items():
                compare(comparison, result, (source.root, answers), file)
    certificate = {
        "task": task.label,
        "version": task.version,
        "answers": rounds * len(samples),
        "seed": config.seed,
        "data": data_digest(samples),
        "scorer": scorer_digest(task),
        "not_installed": [file.stem.partition("__")[2] for file in files if file not in there],
        "oracles": [oracle_entry(file, comparison) for file, comparison in comparisons.items()],
    }
    certificate["sha256"] = hashlib.sha256(json.dumps(certificate, sort_keys=True).encode()).hexdigest()
    write_json(config.output / f"{task.name}.json", certificate)
    return certificate


def write_answers(path: Path, samples: Sequence[Sample], rng: random.Random) -> Path:
    """A round of generated answers in LLaVA's form, one to each question."""
    with path.open("w", encoding="utf-8") as file:
        for sample in samples:
            text = adversarial_answer(rng, sample, samples)
            line = {"question_id": sample.question_id, "prompt": sample.question, "text": text}
            file.write(json.dumps(line) + "\n")
    return path


def compare(comparison: Comparison, result: Result, files: tuple[Path, Path], oracle_file: Path) -> None:
    """Adds one round: every answer's worth, and every metric that the oracle gives."""
    oracle, _ = load_oracle(oracle_file)
    verdict = oracle(*files)
    for score, theirs in zip(result.scores, verdict.values, strict=True):
        comparison.add(score.value, theirs, f"answer to {score.sample}")
    metrics: Mapping[str, float] = result.summary["metrics"]
    for name, theirs in verdict.metrics.items():
        comparison.add(metrics.get(name), theirs, f"metric {name}")


def data_digest(samples: Sequence[Sample]) -> str:
    rows = [(sample.id, sample.question, sample.references) for sample in samples]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def oracle_entry(file: Path, comparison: Comparison) -> dict[str, Any]:
    """What the certificate says about one oracle."""
    _, source = load_oracle(file)
    return {
        "oracle": f"tests/oracles/{file.name}",
        "follows": source,
        "commit": last_commit(file),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "disagreements": comparison.disagreements,
        "largest_difference": comparison.largest,
        **({"first_disagreement": comparison.example} if comparison.example else {}),
    }


def last_commit(file: Path) -> str:
    """The commit that last changed an oracle, or the package's version outside a checkout."""
    command = ["git", "-C", str(file.parent), "log", "-1", "--format=%H", "--", file.name]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        found = ""
    return found or f"mipha-eval {__version__}"
