"""Any function that answers a question about pictures, as a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.types import Request, Response

#: (pictures as `PIL.Image.Image`, prompt) -> answer
Answer = Callable[[list[Any], str], str]


@dataclass(frozen=True)
class CallableModel(ModelAdapter):
    """Calls `answer` with the decoded pictures and the prompt of each request; what it raises fails that request alone."""

    name: ClassVar[str] = "callable"
    heeds: ClassVar[frozenset[str]] = frozenset({"prompt", "format"})

    answer: Answer

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        return [self._respond(request) for request in batch]

    def _respond(self, request: Request) -> Response:
        from mipha_eval.data.images import open_image

        try:
            text = self.answer([open_image(image) for image in request.images], request.text)
        except Exception as error:  # anybody's function
            return Response.failure(f"{type(error).__name__}: {error}")
        return Response(text) if isinstance(text, str) else Response.failure(f"answered no text but {type(text).__name__}")
