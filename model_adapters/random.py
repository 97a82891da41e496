"""A floor: a drawn answer, of the possible ones or of other pictures' labels, with the exact expectation of its scores."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.floor import Floor
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.scoring.floors.expectation import MOST_ANSWERS, Chances, expectation
from mipha_eval.scoring.floors.labels import Labels
from mipha_eval.scoring.floors.question_type import question_type

NO_LABEL = Response.failure("no other picture's question of its type has a public label")


@dataclass(frozen=True)
class Random(Floor):
    """Option: `seed`."""

    name: ClassVar[str] = "random"

    seed: int = 0

    def answers(self, task: Task, benchmark: Sequence[Sample], asked: Sequence[Sample]) -> list[Response]:
        """Each is drawn by itself, so that it does not depend on what else is asked."""
        labels = Labels(task, benchmark)
        return [self._drawn(labels, sample, random.Random(f"{self.seed} {task.label} {sample.id}")) for sample in asked]

    def _drawn(self, labels: Labels, sample: Sample, chance: random.Random) -> Response:
        possible = question_type(labels.task, sample).answers
        if possible:
            return Response(chance.choice(possible))
        known = labels.known(sample)
        return Response(known[1].drawn(sample.cluster, chance)) if known else NO_LABEL

    def expectation(self, task: Task, benchmark: Sequence[Sample], asked: Sequence[Sample]) -> Mapping[str, float]:
        labels = Labels(task, benchmark)
        chances, count = list[Chances](), 0
        for sample in asked:
            chances.append(_chances(labels, sample))
            count += len(chances[-1])
            if count > MOST_ANSWERS:
                return {}
        return expectation(task, asked, chances)


def _chances(labels: Labels, sample: Sample) -> dict[str, float]:
    """The probability of each answer that can be drawn."""
    possible = question_type(labels.task, sample).answers
    if possible:
        return dict.fromkeys(possible, 1 / len(possible))
    known = labels.known(sample)
    votes = known[1].votes_without(sample.cluster) if known else {}
    whole = sum(votes.values())
    return {text: vote / whole for text, vote in votes.items()}
