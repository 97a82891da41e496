"""Runs answers made to trip readers through a suite's own code and through the rules here: ``certificates/suites/``.

``python -m tools.certify_suites lmms-eval --python ENVIRONMENT/bin/python [--path CHECKOUT]`` in a checkout of this project.
The suite is in an environment of its own; `tools/suite_code` says what that needs.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from mipha_eval.core.atomic import write_json
from mipha_eval.core.format_lines import question_core
from mipha_eval.core.plugins.registry import Registry, plugin_folder
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.record import record_json
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.scoring.adversarial import adversarial_answer
from mipha_eval.scoring.certify import data_digest
from mipha_eval.scoring.suite_rules import lmms_eval
from mipha_eval.scoring.suite_rules.certificate import FOLDER, RuleAgreement, SuiteCertificate, rules_digest, sealed
from mipha_eval.scoring.suite_rules.number import SuiteNumber, suite_number
from mipha_eval.scoring.suite_rules.suites import SUITES, Suite, rules_for

TOLERANCE = 1e-9  # of a worth, and of a number in percent or points
CODE = Path(__file__).with_name("suite_code")

#: answers in forms that these suites know, beside those that trip official scorers
FURTHER = (
    *(
        "<think>yes, it may be {}</think>{}",
        "<think>no</think>\n{}",
        "so it is {}</think> {}",
        "<analysis>A</analysis>{}",
        "<think>{}",
    ),
    *(
        "ANSWER: {}",
        "Answer: ({})",
        "answer: **{}**",
        "ANSWER: {}, not C",
        "ANSWER: [LETTER]\nANSWER: {}",
        "答案是{}",
        "Answer: {} and B",
    ),
    *(
        "The best option is {}",
        "{} (because A is wrong)",
        ":{}",
        "({}).",
        "yes and no",
        "y",
        "N",
        "banana {}",
        "{}/{}",
        "1,,2 {}",
        "{}. 3.x .y",
    ),
)


@dataclass(frozen=True)
class SuiteCode:
    """Where a suite's own code is run: a Python, and a checkout that it is to import."""

    python: Path
    path: Path | None = None

    def run(self, suite: Suite, given: Mapping[str, object]) -> list[dict[str, Any]]:
        """What the suite makes of rounds of answers, by the name of the number."""
        program = CODE / f"{suite.name.replace('-', '_')}_code.py"
        environment = {**os.environ, **({"PYTHONPATH": str(self.path)} if self.path else {})}
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "given.json", Path(folder) / "result.json"
            source.write_text(json.dumps(given), encoding="utf-8")
            command = [str(self.python), str(program), str(source), str(target)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603
            if done.returncode:
                raise SystemExit(f"{suite.name}'s code failed:\n{done.stderr[-3000:]}")
            outcomes: list[dict[str, Any]] = json.loads(target.read_text(encoding="utf-8"))
        return outcomes


@dataclass
class Agreement:
    """How a rule and the suite's code compare over all rounds."""

    answers: int = 0
    numbers: int = 0
    disagreements: int = 0
    largest: float = 0.0
    example: str = ""
    texts: dict[str, str] = field(default_factory=dict)

    def add_round(self, ours: SuiteNumber, theirs: Mapping[str, Any], texts: Mapping[str, str]) -> None:
        """Compares numbers, each worth, and what was read or would be asked, as far as the suite tells."""
        self.texts = dict(texts)
        self.numbers += 1
        self._add("number", ours.value, theirs["number"])
        if "best" in theirs:
            self._add("number at best", ours.best, theirs["best"])
        if ours.readings.keys() != theirs["worths"].keys():
            self._differ(f"{len(ours.readings)} questions here, {len(theirs['worths'])} there")
        for sample, worth in theirs["worths"].items():
            reading = ours.readings[sample]
            self.answers += 1
            self._add(f"worth of {sample}", reading.worth, worth)
            said = theirs["answers"].get(sample, reading.answer)
            if said != reading.answer:
                self._differ(f"{sample} {texts[sample]!r} read as {reading.answer!r} here, {said!r} there")
            if "asked" in theirs and reading.unsure != (sample in theirs["asked"]):
                self._differ(f"whether {sample} {texts[sample]!r} is asked about")

    def _add(self, what: str, ours: float | None, theirs: float | None) -> None:
        difference = float(ours is not theirs) if ours is None or theirs is None else abs(ours - theirs)
        self.largest = max(self.largest, difference)
        if not difference <= TOLERANCE:
            text = self.texts.get(what.removeprefix("worth of "), "")
            self._differ(f"{what} {text!r}: {ours} here, {theirs} there")

    def _differ(self, example: str) -> None:
        self.disagreements += 1
        self.example = self.example or example


def tasks_of(suite: Suite, data: str) -> Iterator[Task]:
    """The benchmarks of a suite, with each protocol that a rule is for."""
    wanted = dict.fromkeys((rule.task, protocol) for rule in suite.rules for protocol in rule.protocols or ("",))
    for name, protocol in wanted:
        source = parse_source(data, {})
        if protocol == "cn-dev" and source.root is not None:  # English questions do for the rule
            source = parse_source(data, {}, next(source.root.glob("mmbench/mmbench_dev*.tsv")))
        yield build_task(f"{name}@{protocol}" if protocol else name, {}, source, Registry())


def holds(suite: Suite, text: str) -> bool:
    """Whether the suite can hold a text: sheets hold no control characters, pydantic's texts no lone surrogates."""
    if suite.name == "vlmevalkit":
        return all(letter.isprintable() or letter in "\n\t" for letter in text)
    return suite.name != "evalscope" or not any("\ud800" <= letter <= "\udfff" for letter in text)


def made_answer(rng: random.Random, sample: Sample, samples: Sequence[Sample], suite: Suite) -> str:
    """An answer that the suite can hold."""
    while True:
        text = adversarial_answer(rng, sample, samples)
        if rng.random() < 0.3:
            text = rng.choice(FURTHER).replace("{}", rng.choice((text, sample.target[0], *"ABCD", "yes", "No")))
        if holds(suite, text):
            return text


def with_all_subtasks(samples: Sequence[Sample]) -> list[Sample]:
    """MME's pictures dealt out to all of its subtasks, of which drawn scenes have a few alone."""
    subtasks = (*lmms_eval.PERCEPTION, *lmms_eval.COGNITION)
    groups = list(dict.fromkeys(sample.group for sample in samples))
    dealt = {group: subtasks[place % len(subtasks)] for place, group in enumerate(groups)}
    return [dataclasses.replace(sample, category=dealt[sample.group]) for sample in samples]


def row_of(sample: Sample) -> dict[str, object]:
    """A question as `suite_code` gets it."""
    return {
        "id": sample.id,
        "question": question_core(sample.prompt),
        "target": list(sample.target),
        "choices": list(sample.choices),
        "category": sample.category,
        "group": sample.group,
        "images": [image.name for image in sample.images],
    }


def compare_task(suite: Suite, code: SuiteCode, task: Task, answers: int, seed: int) -> list[RuleAgreement]:
    """Compares all numbers of a benchmark on at least so many answers."""
    samples = [sample for sample in read_samples(task) if sample.target]
    samples = with_all_subtasks(samples) if task.name == "mme" else samples
    rng = random.Random(seed)
    rounds = [[made_answer(rng, sample, samples, suite) for sample in samples] for _ in range(-(-answers // len(samples)))]
    given = {"task": task.name, "protocol": task.protocol, "rows": [*map(row_of, samples)], "rounds": rounds}
    theirs = code.run(suite, given)
    found = []
    for rule in rules_for(task, suite):
        agreement = Agreement()
        for texts, outcome in zip(rounds, theirs, strict=True):
            by_id = dict(zip([sample.id for sample in samples], texts, strict=True))
            agreement.add_round(suite_number(rule, samples, by_id), outcome[rule.name], by_id)
        found.append(
            RuleAgreement(
                rule=rule.name,
                task=task.label,
                data=data_digest(samples),
                answers=agreement.answers,
                numbers=agreement.numbers,
                disagreements=agreement.disagreements,
                largest_difference=agreement.largest,
                first_disagreement=agreement.example,
            )
        )
    return found


def certify_suite(suite: Suite, code: SuiteCode, data: str, answers: int, seed: int) -> SuiteCertificate:
    """A sealed certificate of all rules of a suite."""
    rules = [found for task in tasks_of(suite, data) for found in compare_task(suite, code, task, answers, seed)]
    drafted = SuiteCertificate(
        suite=suite.name,
        source=suite.source,
        version=suite.version,
        made=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        seed=seed,
        code=rules_digest(suite),
        rules=tuple(rules),
    )
    return msgspec.structs.replace(drafted, sha256=sealed(drafted))


def main() -> None:
    """Writes a suite's certificate, and ends with 3 if it disagrees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=sorted(SUITES))
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="of the suite's environment")
    parser.add_argument("--path", type=Path, help="a checkout of the suite, which its Python is to import")
    parser.add_argument("--data", default="demo")
    parser.add_argument("--answers", type=int, default=10_000, help="of each benchmark, at least")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=plugin_folder("certificates") / FOLDER)
    asked = parser.parse_args()
    code = SuiteCode(asked.python, asked.path)
    certificate = certify_suite(SUITES[asked.suite], code, asked.data, asked.answers, asked.seed)
    for rule in certificate.rules:
        print(f"{rule.rule}: {rule.answers:,} answers, {rule.disagreements:,} disagreements {rule.first_disagreement}")
    asked.output.mkdir(parents=True, exist_ok=True)
    write_json(asked.output / f"{asked.suite}.json", record_json(certificate))
    sys.exit(3 if certificate.disagreements else 0)


if __name__ == "__main__":
    main()
