"""What a run holds, as the writers of other suites' files get it, and what they make of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mipha_eval.core.alphabet import lettered
from mipha_eval.core.json_line import to_json
from mipha_eval.core.question_parts import QuestionParts
from mipha_eval.core.types import Response, Sample, Score

NO_SCORES: Mapping[str, Score] = {}


@dataclass(frozen=True)
class RunFacts:
    """A run beside its answers.

    Attributes:
        model: what people call it.
        file_name: the same as a part of a file's name, with what makes the answers another thing (``-demo``, ``-blind``).
        identity: a digest of what decides the answers.
        started: when the run began, ISO 8601 with an offset such as +0200; empty where nobody noted it.
        version: of mipha-eval, when the run began.
        data: the data source as it was typed.
        options: of the model, by name.
        packages: versions of what it ran on.
        limit: how many questions of a task were asked at most, where some were not asked; None where all were.
    """

    model: str
    file_name: str
    identity: str = ""
    started: str = ""
    version: str = ""
    data: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None


@dataclass(frozen=True)
class AnsweredTask:
    """A task of a run: what was asked, answered and scored.

    Attributes:
        label: as tables print it, such as ``pope@demo``.
        name, protocol: of the benchmark that it is, the demo's drawn scenes being of the protocol that they stand in for.
        variation: where somebody varied the task.
        version: of its scoring.
        samples: the questions that were asked, in the benchmark's order.
        responses: by sample id; a failed one has an error, and one that is not there is not answered.
        scores: by sample id.
        metrics: values by name, the headline first.
        judge: who graded; empty for nobody.
        total: how many questions the benchmark has here; more than were asked where a run was limited.
        marks: what a reader must know before comparing the numbers, a phrase each.
        limited: whether only some of the questions were asked, which are then drawn from all.
        demo: whether drawn scenes stood in for the benchmark.
        rows_of_hub: whether the questions are all rows of the hub's set, in its order.
    """

    label: str
    name: str
    protocol: str
    samples: Sequence[Sample]
    responses: Mapping[str, Response]
    scores: Mapping[str, Score] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    variation: str = ""
    version: int = 1
    judge: str = ""
    total: int = 0
    marks: tuple[str, ...] = ()
    limited: bool = False
    demo: bool = False
    rows_of_hub: bool = False

    @property
    def benchmark(self) -> tuple[str, str]:
        """By what a suite finds its form: name and protocol; of a variation nothing that a suite has."""
        return (self.name, self.protocol) if not self.variation else (f"{self.name}+{self.variation}", self.protocol)

    @cached_property
    def answered(self) -> Sequence[tuple[int, Sample, Response]]:
        """(place among the questions, question, answer) of each that has an answer, in order."""
        return [(place, sample, response) for place, sample, response in self._asked if response and not response.error]

    @cached_property
    def failed(self) -> Sequence[tuple[int, Sample, Response]]:
        """The same of each question for which an error came in place of an answer."""
        return [(place, sample, response) for place, sample, response in self._asked if response and response.error]

    @property
    def unanswered(self) -> int:
        """How many questions have neither."""
        return len(self.samples) - len(self.answered) - len(self.failed)

    @property
    def _asked(self) -> Iterable[tuple[int, Sample, Response | None]]:
        return ((place, sample, self.responses.get(sample.id)) for place, sample in enumerate(self.samples))


@dataclass(frozen=True)
class SuiteFile:
    """A file that a suite would have written.

    Attributes:
        path: below the folder that the suite writes into, with slashes.
    """

    path: str
    content: bytes


@dataclass(frozen=True)
class Written:
    """What a suite has of one task, or of all of them together.

    Attributes:
        task: its label; empty for all.
        notes: what does not stand in the files, or otherwise than the suite has it, a sentence each.
    """

    task: str
    files: tuple[SuiteFile, ...]
    notes: tuple[str, ...] = ()


def json_file(value: object) -> bytes:
    """A value as a JSON file for people."""
    return (json.dumps(value, indent=2) + "\n").encode()


def lines_file(rows: Iterable[Mapping[str, object]]) -> bytes:
    """Rows as JSON, one a line."""
    return "".join(f"{to_json(row)}\n" for row in rows).encode()


def encodable(text: str) -> str:
    """A text with lone surrogates replaced, which UTF-8 cannot hold and strict readers refuse."""
    return text.encode("utf-8", "replace").decode()


def parts_of(sample: Sample) -> QuestionParts:
    """A question taken apart: its hint, the question by itself, its options."""
    return QuestionParts.of(sample.prompt, sample.choices, sample.question)


def options_of(sample: Sample) -> dict[str, str]:
    """Letter -> option, those that are none left out."""
    return {letter: choice for letter, choice in lettered(sample.choices) if choice}


def left_out(task: AnsweredTask, *, failures: bool) -> tuple[str, ...]:
    """A sentence for questions that a file has nothing of.

    Args:
        failures: whether the suite has no form for a failed request either.
    """
    failed = len(task.failed) if failures else 0
    counts = [f"{count:,} {name}" for count, name in ((failed, "failed"), (task.unanswered, "without an answer")) if count]
    return (f"{task.label}: left out {' and '.join(counts)} of {len(task.samples):,} questions",) if counts else ()
