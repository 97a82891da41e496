"""A plugin for the tests: a model whose batches take a known time by a clock that is a file, and which can fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.adapter import Cost, ModelAdapter
from mipha_eval.core.types import Request, Response


@dataclass(frozen=True)
class Timed(ModelAdapter):
    """A picture costs 10 tokens and a question 1; a batch takes half a second and `slowness` for each token.

    Options: `clock`, a file with the seconds of its clock, and `asked`, one that gets the size of each batch; `room`, tokens
    that its device holds; `fails`, a text of the questions that have no answer.
    """

    name: ClassVar[str] = "timed"

    clock: Path
    slowness: float = 0.25
    first: float = 7.0
    room: int = 1000
    most: int = 44
    fails: str = ""

    def load(self) -> None:
        self._wait(3.0)

    def cost(self, request: Request) -> Cost:
        return Cost(10 * len(request.images), 1)

    def budget(self) -> int:
        return self.most

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        tokens = len(batch) + 10 * len({image.location for request in batch for image in request.images})
        if tokens > self.room:
            raise MemoryError
        times = self.clock.with_suffix(".batches")
        self._wait(0.5 + self.slowness * tokens + (0 if times.exists() else self.first))
        with times.open("a") as file:
            file.write(f"{tokens}\n")
        return [Response.failure("no") if self._fails(request) else Response("Yes") for request in batch]

    def _fails(self, request: Request) -> bool:
        return bool(self.fails) and self.fails in request.text

    def _wait(self, seconds: float) -> None:
        self.clock.write_text(repr(float(self.clock.read_text()) + seconds))
