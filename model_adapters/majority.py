"""A floor: to every question the most frequent answer of its type in the benchmark's labels, its own picture's left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.floor import Floor
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.scoring.floors.labels import Labels
from mipha_eval.scoring.floors.question_type import question_type


@dataclass(frozen=True)
class Majority(Floor):
    """Option: `own`, whether the labels of a question's own picture count, too; then it is the best constant of its type."""

    name: ClassVar[str] = "majority"

    own: bool = False

    def answers(self, task: Task, benchmark: Sequence[Sample], asked: Sequence[Sample]) -> list[Response]:
        labels = Labels(task, benchmark, own=self.own)
        return [self._answer(labels, sample) for sample in asked]

    def _answer(self, labels: Labels, sample: Sample) -> Response:
        """Where no other picture has a label of its type, the first possible answer; where any text may be one, none."""
        found = labels.best(sample) or next(iter(question_type(labels.task, sample).answers), None)
        return Response(found) if found else Response.failure("no other picture's question of its type has a public label")
