"""What a task says of itself and of its questions."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.core.metrics import Metric, Totals
from mipha_eval.core.options import option_fields, type_name
from mipha_eval.core.plugins.blame import blaming
from mipha_eval.core.plugins.checks.scores import checked_metrics, checked_score
from mipha_eval.core.task import UNGRADED, Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.data.questions import read_questions
from mipha_eval.scoring.tables.table_task import definition_of


@dataclass(frozen=True)
class LabelReading:
    """How a task's own rule reads the label of a question, given as an answer.

    Attributes:
        error: what the rule raised instead.
    """

    answer: str
    reading: str = ""
    rule: str = ""
    parsed: bool = True
    error: str = ""

    @property
    def text(self) -> str:
        """In words."""
        if self.error:
            return f"of {self.answer!r}: {self.error}"
        if self.rule in UNGRADED:
            return f"of {self.answer!r}: a judge grades it"
        unread = "" if self.parsed else ", which counts as unparsed"
        return f"of {self.answer!r}: {self.reading!r} by rule {self.rule}{unread}"


@dataclass(frozen=True)
class Shown:
    """A task as it is shown.

    Attributes:
        samples: the questions that are shown.
        readings: of their labels; None where these are not public.
        questions, pictures: how many there are in all; None where nothing was read.
    """

    task: Task
    samples: Sequence[Sample]
    readings: Sequence[LabelReading | None]
    questions: int | None
    pictures: int | None

    @property
    def metrics(self) -> Sequence[Metric]:
        return checked_metrics(self.task, self.task.metrics_for(Totals({})))

    @property
    def facts(self) -> JsonObject:
        """All of it but the questions."""
        task, headline = self.task, self.metrics[0]
        return {
            "task": task.label,
            "about": inspect.getdoc(type(task) if definition_of(task) else inspect.getmodule(type(task))) or "",
            "protocols": dict(task.protocols),
            "headline": headline.name,
            "metrics": [metric.name for metric in self.metrics],
            "unit": headline.unit,
            "bounds": [bound if math.isfinite(bound) else None for bound in headline.range],
            "max_new_tokens": task.max_new_tokens,
            "options": {key: type_name(kind) for key, kind in option_fields(type(task)).items()},
            "licence": task.licence,
            "citation": task.citation,
            "size": {
                "questions": self.questions,
                "pictures": self.pictures,
                "released": {protocol: list(counts) for protocol, counts in task.rows.items()},
            },
        }

    @property
    def json(self) -> dict[str, Json]:
        """All of it."""
        questions = [_facts_of(sample, reading) for sample, reading in zip(self.samples, self.readings, strict=True)]
        return {**self.facts, "questions": questions}


def _facts_of(sample: Sample, reading: LabelReading | None) -> JsonObject:
    own: JsonObject | None = None
    if reading is not None:
        own = {"rule": reading.rule, "reading": reading.reading, "parsed": reading.parsed, "error": reading.error}
    return {
        "id": sample.id,
        "images": [image.name for image in sample.images],
        "prompt": sample.prompt,
        "target": list(sample.target),
        "choices": list(sample.choices),
        "category": sample.category,
        "locations": [image.location for image in sample.images],
        "reading": own,
    }


def look_at(task: Task, count: int) -> Shown:
    """A task with its first questions.

    Args:
        count: of questions; for 0 its files are not read.

    Raises:
        UserError: they are missing, or not in the form that the task expects.
    """
    if not count:
        return Shown(task, (), (), None, None)
    samples = read_questions(task)
    pictures = len({image.view for sample in samples for image in sample.images})
    first = samples[:count]
    return Shown(task, first, [label_reading(task, sample) for sample in first], len(samples), pictures)


def label_reading(task: Task, sample: Sample) -> LabelReading | None:
    """How the task's rule reads the first of the accepted answers; None if there is none."""
    if not sample.target:
        return None
    answer = sample.target[0]
    try:
        with blaming():
            score = checked_score(task, sample.id, task.score(sample, Response(answer)))
    except UserError as error:  # a plugin's rule may fail; its question is there to be looked at all the same
        return LabelReading(answer, error=str(error))
    return LabelReading(answer, str(score.reading), str(score.rule), bool(score.parsed))
