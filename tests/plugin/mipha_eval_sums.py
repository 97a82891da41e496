"""Sums: what is two plus three? A whole benchmark and a model of it, in another package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval import Metric, ModelAdapter, Reading, Request, Response, Sample, Score, Task


@dataclass(frozen=True)
class Sums(Task):
    """Option: `largest` summand."""

    largest: int = 3

    name: ClassVar[str] = "sums"
    protocols: ClassVar[Mapping[str, str]] = {"plain": "all sums up to the largest summand"}
    metrics: ClassVar[Sequence[Metric]] = [Metric("accuracy", lambda totals: 100 * totals["right"] / totals["asked"])]

    def samples(self) -> Iterator[Sample]:
        for one in range(self.largest + 1):
            for other in range(self.largest + 1):
                name = f"{one}+{other}"
                yield Sample(name, f"What is {name}?", (str(one + other),), (), name)

    def score(self, sample: Sample, response: Response) -> Score:
        return self.scored(sample, Reading(response.text, "exact"), response.text == sample.target[0])


@dataclass(frozen=True)
class Calculator(ModelAdapter):
    """Option: `off`, by how much every answer is wrong."""

    name: ClassVar[str] = "calculator"

    off: int = 0

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        sums = [request.text.removeprefix("What is ").rstrip("?").split("+") for request in batch]
        return [Response(str(int(one) + int(other) + self.off)) for one, other in sums]
