"""Always the same answer, without a model: a baseline, and a way to try the machinery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.types import Request, Response


@dataclass(frozen=True)
class Constant(ModelAdapter):
    """Option: `answer`."""

    name: ClassVar[str] = "constant"
    reads_images: ClassVar[bool] = False
    floor: ClassVar[bool] = True
    heeds: ClassVar[frozenset[str]] = frozenset()

    answer: str = "Yes"

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        return [Response(self.answer) for _ in batch]
