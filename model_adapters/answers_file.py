"""Replays a stored answer file in LLaVA's format, so that a run can be made of answers from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.answer_line import asked_texts, check_round, other_answer
from mipha_eval.core.errors import UserError
from mipha_eval.core.format_lines import question_core
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Request, Response
from mipha_eval.core.wording import difference, wording
from mipha_eval.scoring.answer_files import read_records
from mipha_eval.scoring.matching import text_key


@dataclass(frozen=True)
class AnswersFile(ModelAdapter):
    """Option: `path` of a JSONL file with question_id, prompt and text."""

    name: ClassVar[str] = "answers-file"
    reads_images: ClassVar[bool] = False
    heeds: ClassVar[frozenset[str]] = frozenset()

    path: Path

    @cached_property
    def answers(self) -> dict[str, dict[str, Response]]:
        """question_id -> prompt -> response."""
        found: dict[str, dict[str, Response]] = {}
        for number, record in enumerate(read_records(self.path), start=1):
            place = f"{self.path}: answer {number}"
            check_round(place, record)
            if "question_id" not in record:
                raise UserError(f"{place} has no 'question_id'")
            name = str(text_key(record["question_id"]))
            prompt, response = _asked_and_answered(place, record)
            if prompt in found.setdefault(name, {}):
                raise UserError(f"{place} is a second one to question_id {name}")
            found[name][prompt] = response
        return found

    def check_there(self) -> None:
        if not self.path.is_file():
            raise UserError(f"there is no answer file {self.path}")

    def load(self) -> None:
        _ = self.answers

    def describe(self) -> JsonObject:
        return {"answers": sum(map(len, self.answers.values())), "modified": self.path.stat().st_mtime_ns}

    def identity(self, request: Request) -> tuple[str, str]:
        """Every question has its own answer, even where two are the same question about the same image."""
        return str(request.question_id), request.text

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        return [self._answer(request) for request in batch]

    def _answer(self, request: Request) -> Response:
        """The answer under the request's id to its prompt, else to one that asks the same in another layout."""
        name = str(text_key(request.question_id))
        known = self.answers.get(name, {})
        if request.text in known:
            return known[request.text]
        question = question_core(request.text)
        asked = [prompt for prompt in known if wording(question).is_asked_in(question_core(prompt))]
        if len(asked) == 1:
            return known[asked[0]]
        if asked or not known:
            several = "several answers" if asked else "no answer"
            return Response.failure(f"{self.path} has {several} to question_id {name} with this prompt")
        there, here = difference(question_core(next(iter(known))), question)
        return Response.failure(
            f"{self.path} has no answer to question_id {name} with this prompt, but to {there!r}, not {here!r}"
        )


def _asked_and_answered(place: str, record: JsonObject) -> tuple[str, Response]:
    """The prompt, which `text` is where only a further key can be the answer, and the response."""
    asked, text, other = next(iter(asked_texts(record).values()), None), record.get("text"), other_answer(record)
    if asked is None and isinstance(text, str) and other is not None:
        asked, text = text, other
    if asked is None:
        raise UserError(f"{place} has no 'prompt'")
    if record.get("error"):
        return asked, Response.failure(str(record["error"]))
    if not isinstance(text, str):
        raise UserError(f"{place} has no text")
    return asked, Response(text)
