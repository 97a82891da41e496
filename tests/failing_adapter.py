"""A plugin for the tests: fails in one way or another where a question has something to do with a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mipha_eval.core.adapter import Cost, ModelAdapter
from mipha_eval.core.types import Request, Response


@dataclass(frozen=True)
class Failing(ModelAdapter):
    """Options: what a question or its picture's name holds that it fails at (`culprit`), and `how`; `alone_too`."""

    name: ClassVar[str] = "failing"
    shares: ClassVar[bool] = True

    culprit: str = ""
    how: str = "raise"
    alone_too: bool = False
    share: bool = True
    batches: list[int] = field(default_factory=list)

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        self.batches.append(len(batch))
        if not any(map(self._is_one, batch)):
            return [Response("Yes") for _ in batch]
        odd: Any = None
        match self.how:
            case "few":
                return [Response("Yes") for request in batch if not self._is_one(request)]
            case "many":
                return [Response("Yes") for _ in (*batch, "one more")]
            case "nothing":
                return [odd if self._is_one(request) else Response("Yes") for request in batch]
            case "no text":
                return [Response(odd) if self._is_one(request) else Response("Yes") for request in batch]
            case "memory":
                raise MemoryError
            case "interrupt":
                raise KeyboardInterrupt
        raise LookupError(f"no answer to {[request.text for request in batch]}"[:60])

    def reference(self, batch: Sequence[Request]) -> list[Response]:
        if self.alone_too:
            raise ArithmeticError("not alone")
        return self.generate(batch)

    def cost(self, request: Request) -> Cost:
        if self.how == "cost" and self._is_one(request):
            raise LookupError("priceless")
        return Cost(4, 4)

    def prefetch(self, batch: Sequence[Request]) -> None:
        if self.how == "prefetch" and any(map(self._is_one, batch)):
            raise LookupError("unexpected")

    def _is_one(self, request: Request) -> bool:
        return self.culprit in request.text or any(self.culprit in image.name for image in request.images)
