"""Runs thousands of generated answers through a task's scorer and its oracles, and writes down how they compare."""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError

import msgspec

from mipha_eval import __version__
from mipha_eval.core.atomic import write_json
from mipha_eval.core.children import run_program
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import option_fields
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.record import record_json
from mipha_eval.core.task import Task
from mipha_eval.core.task_label import TaskLabel
from mipha_eval.core.types import Sample
from mipha_eval.data.questions import read_samples
from mipha_eval.scoring.adversarial import adversarial_answer
from mipha_eval.scoring.answer_files import read_answers
from mipha_eval.scoring.certificate import (
    Certificate,
    Oracle,
    OracleAgreement,
    load_oracles,
    oracle_folder,
    oracles_digest,
    scorer_digest,
    sealed,
)
from mipha_eval.scoring.result import Scored, score_responses

TOLERANCE = 1e-9  # of an answer's worth (0 to 1) and of a metric (in percent or points)

#: options that make a task's scoring what its oracle's is: no judge, no Java
SETTINGS = {"by_rule": "true", "tokenizer": "treebank"}


@dataclass(frozen=True)
class CertifySettings:
    """At least so many answers; another seed makes other ones. Certificates are written to the folder `output`."""

    answers: int = 10_000
    output: Path = Path("certificates")
    seed: int = 0


@dataclass
class Comparison:
    """How one oracle, by its file and source, and our scorer compare over all rounds."""

    file: Path
    source: str
    disagreements: int = 0
    largest: float = 0.0
    example: str = ""

    def add_round(self, result: Scored, oracle: Oracle, data: Path, answers: Path) -> None:
        """Compares every answer's worth, and every metric that the oracle gives.

        Raises:
            UserError: the oracle cannot read the data.
        """
        try:
            verdict = oracle.score(data, answers)
        except (ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
            raise UserError(f"{oracle.file.name} cannot read the files in {data}: {error!r}") from error
        for score, theirs in zip(result.scores, verdict.values, strict=True):
            self.add(score.value, theirs, f"answer to {score.sample}")
        for name, theirs in verdict.metrics.items():
            self.add(result.summary.metrics.get(name), theirs, f"metric {name}")

    def add(self, ours: float | None, theirs: float, what: str) -> None:
        difference = 0.0 if ours is None else abs(ours - theirs)
        self.largest = max(self.largest, difference)
        if ours is None or not difference <= TOLERANCE:
            self.disagreements += 1
            self.example = self.example or f"{what}: {ours} here, {theirs} there"

    def summary(self) -> OracleAgreement:
        """What the certificate says about the oracle."""
        return OracleAgreement(
            oracle=f"tests/oracles/{self.file.name}",
            follows=self.source,
            disagreements=self.disagreements,
            largest_difference=self.largest,
            first_disagreement=self.example,
        )


def scored_by_rule(name: str, source: DataSource, registry: Registry) -> Task:
    """A task with the options that make its scoring what its oracle's is."""
    owner, _ = registry.load("tasks", TaskLabel.of(name).plugin)
    prefix = owner.name.replace("-", "_")
    options = {f"{prefix}.{key}": value for key, value in SETTINGS.items() if key in option_fields(owner)}
    return build_task(name, options, source, registry)


def certify(task: Task, settings: CertifySettings) -> Certificate:
    """Compares scorer and oracles on at least `settings.answers` answers and writes ``TASK.json``.

    Args:
        task: see `scored_by_rule`.

    Returns:
        The certificate.

    Raises:
        UserError: there is no oracle for the task, or no data.
    """
    if task.variation:
        raise UserError(f"{task.label} has no oracle: it varies {task.name}, whose certificate is not its own")
    samples = read_samples(task)
    root = task.data.root
    if root is None:
        raise UserError("an oracle reads official files; give a folder with them, or demo", flag="--data")
    oracles, missing = load_oracles(task.name)
    if task.protocol not in oracles[0].protocols:
        raise UserError(f"the oracle of {task.name} is for {', '.join(oracles[0].protocols)}, not for {task.protocol}")
    comparisons = [Comparison(oracle.file, oracle.source) for oracle in oracles]
    rng = random.Random(settings.seed)
    rounds = -(-settings.answers // len(samples))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            answers = write_answers(Path(folder) / "answers.jsonl", samples, rng)
            result = score_responses(task, samples, read_answers(answers, task, samples).responses)
            for comparison, oracle in zip(comparisons, oracles, strict=True):
                comparison.add_round(result, oracle, root, answers)
    written = draft(task, samples, rounds, comparisons, result.summary.headline)
    protocols = tuple(oracles[0].protocols)
    return issue(msgspec.structs.replace(written, protocols=protocols, not_installed=tuple(missing)), task.name, settings)


def draft(
    task: Task, samples: Sequence[Sample], rounds: int, comparisons: Sequence[Comparison], headline: str
) -> Certificate:
    """A certificate that is not issued yet, after so many rounds of answers to all samples."""
    return Certificate(
        task=task.label,
        version=task.version,
        protocols=(),
        headline=headline,
        answers=rounds * len(samples),
        seed=0,
        data=data_digest(samples),
        scorer=scorer_digest(task),
        oracle_code=oracles_digest(),
        oracle_commit=last_commit(),
        not_installed=(),
        oracles=tuple(comparison.summary() for comparison in comparisons),
    )


def issue(drafted: Certificate, name: str, settings: CertifySettings) -> Certificate:
    """Seals a certificate and writes ``NAME.json``."""
    whole = msgspec.structs.replace(drafted, seed=settings.seed)
    certificate = msgspec.structs.replace(whole, sha256=sealed(whole))
    write_json(settings.output / f"{name}.json", record_json(certificate))
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
    except (OSError, CalledProcessError):
        commit, changed = "", ""
    return f"{commit}{'+' if changed else ''}" if commit else f"mipha-eval {__version__}"


def _git(folder: str, *arguments: str) -> str:
    command = ["git", "-C", folder, *arguments]
    done = run_program(command)
    done.check_returncode()
    return done.stdout.decode().strip()
