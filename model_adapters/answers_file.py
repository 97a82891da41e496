"""Replays a stored answer file in LLaVA's format, so that a run can be made of answers from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from mipha_eval.adapter import ModelAdapter
from mipha_eval.data.jsonl import read_jsonl
from mipha_eval.errors import UserError
from mipha_eval.types import Request, Response


@dataclass(frozen=True)
class AnswersFile(ModelAdapter):
    """Option: `path` of a JSONL file with question_id, prompt and text."""

    name: ClassVar[str] = "answers-file"
    reads_images: ClassVar[bool] = False

    path: Path

    @cached_property
    def answers(self) -> dict[tuple[str, str], Response]:
        """(question_id, prompt) -> response."""
        found: dict[tuple[str, str], Response] = {}
        for number, record in enumerate(read_jsonl(self.path), start=1):
            try:
                key = str(record["question_id"]), str(record["prompt"])
            except KeyError as error:
                raise UserError(f"{self.path}: answer {number} has no {error}") from error
            text = record.get("text")
            if not (record.get("error") or isinstance(text, str)):
                raise UserError(f"{self.path}: answer {number} has no text")
            response = Response.failure(str(record["error"])) if record.get("error") else Response(str(text))
            if key in found:
                raise UserError(f"{self.path}: answer {number} is a second one to question_id {key[0]}")
            found[key] = response
        return found

    def load(self) -> None:
        _ = self.answers

    def describe(self) -> Mapping[str, Any]:
        return {"answers": len(self.answers), "modified": self.path.stat().st_mtime_ns}

    def identity(self, request: Request) -> tuple[str, str]:
        """Every question has its own answer, even where two are the same question about the same image."""
        return str(request.question_id), request.text

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        return [
            self.answers.get(self.identity(request))
            or Response.failure(f"{self.path} has no answer to question_id {request.question_id} with this prompt")
            for request in batch
        ]
