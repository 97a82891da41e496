"""A plugin for the tests: answers as if neighbours could change an answer, and notes its batches."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mipha_eval.core.adapter import Cost, ModelAdapter
from mipha_eval.core.errors import DeviceMemoryError
from mipha_eval.core.types import Request, Response


@dataclass(frozen=True)
class Sharing(ModelAdapter):
    """Options: `log` gets a line a batch; `wrong` of ten shared answers are not what they are alone; `dtype` it claims."""

    name: ClassVar[str] = "sharing"
    shares: ClassVar[bool] = True

    log: Path
    wrong: int = 0
    dtype: str = "torch.float32"
    share: bool = True
    memory: int = 0

    def describe(self) -> Mapping[str, Any]:
        return {"dtype": self.dtype}

    def cost(self, request: Request) -> Cost:
        return Cost(100 * len(request.images), 10)

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        if 0 < self.memory < len(batch):
            raise DeviceMemoryError("full")
        self._note("shared", batch)
        return [self._response(request, shifted=int(request.key[0], 16) % 10 < self.wrong) for request in batch]

    def loglikelihood(self, batch: Sequence[Request]) -> list[Response]:
        self._note("shared", batch)
        return [self._ranked(request, 0.25) for request in batch]

    def reference(self, batch: Sequence[Request]) -> list[Response]:
        self._note("alone", batch)
        return [self._ranked(each, 0.0) if each.options else self._response(each, shifted=False) for each in batch]

    def _response(self, request: Request, *, shifted: bool) -> Response:
        return Response("No" if shifted else "Yes", tokens=1, top=((5, 1.5), (7, 1.0 + shifted / 8)))

    def _ranked(self, request: Request, shift: float) -> Response:
        likelihoods = tuple(-1.0 - place - shift for place in range(len(request.options)))
        return Response(request.options[0], likelihoods=likelihoods, option_tokens=(1,) * len(request.options))

    def _note(self, way: str, batch: Sequence[Request]) -> None:
        with self.log.open("a") as log:
            images = [[image.location for image in request.images] for request in batch]
            log.write(json.dumps([way, images, [request.key for request in batch]]) + "\n")
