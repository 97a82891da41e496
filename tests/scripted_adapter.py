"""A plugin for the tests: answers as a file says, failures and probabilities among them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.types import Request, Response


def script_key(request: Request) -> str:
    """By what a request is found in the script."""
    return json.dumps([request.text, [image.name for image in request.images]])


@dataclass(frozen=True)
class Scripted(ModelAdapter):
    """Options: `path` of a JSON object, `script_key` -> fields of a response; `size`, parameters as a table shows them."""

    name: ClassVar[str] = "scripted"

    path: Path
    size: str = ""

    @cached_property
    def script(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = json.loads(self.path.read_text(encoding="utf-8"))
        return found

    def about(self) -> Mapping[str, str]:
        return {"parameters": self.size} if self.size else {}

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        return [self._response(request) for request in batch]

    def _response(self, request: Request) -> Response:
        said = dict(self.script[script_key(request)])
        if not request.tracked:
            said.pop("probabilities", None)
        return Response(**{**said, "probabilities": tuple(said["probabilities"])} if "probabilities" in said else said)
