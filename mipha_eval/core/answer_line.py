"""One line of an answer file: what it says was asked, and what was answered."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import NamedTuple

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json, JsonObject

#: what holds a question, if it is there; an answer's `text` does where a further key holds the answer
ASKED = ("prompt", "question")
#: what may hold the answer where `text` is the question; the last may hold the right one beside the model's
ANSWERED = ("prediction", "output", "response", "answer")
#: how deep the texts of a conversation may stand: a list of turns, a list of parts, a part
DEEPEST = 6


class OfficialAnswer(NamedTuple):
    """An answer of a benchmark's own result form.

    Attributes:
        key: as of `Task.answer_key`.
        asked: the question, where the form shows it.
        verified: whether the form names the question so that nothing else could be meant.
    """

    key: Hashable
    text: str
    asked: str = ""
    verified: bool = False


def asked_texts(record: JsonObject) -> dict[str, str]:
    """What the line says was asked, by key: a text, or a conversation, whose texts are put together."""
    found = {name: "\n".join(_texts(record.get(name))) for name in ASKED}
    return {name: text for name, text in found.items() if text.strip()}


def other_answer(record: JsonObject) -> str | None:
    """The answer where `text` is the question; None if no further key holds one."""
    return next((text for text in map(record.get, ANSWERED) if isinstance(text, str)), None)


def asked_text(record: JsonObject) -> str:
    """What was asked, for benchmarks that find the question by it. Raises KeyError if the line does not say."""
    for text in asked_texts(record).values():
        return text
    if isinstance(record.get("text"), str):
        return str(record["text"])
    raise KeyError("prompt")


def check_round(place: str, record: JsonObject) -> None:
    """Raises UserError for an answer to a question whose options were turned once more by LLaVA's ``--all-rounds``."""
    if str(record.get("round_id") or 0).removesuffix(".0") != "0":
        raise UserError(
            f"{place} has round_id {record['round_id']}: LLaVA's --all-rounds asks each row again with its options turned, "
            "but turned rows are rows of the table already; keep the lines with round_id 0, which are the answers to them"
        )


def _texts(value: Json, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list) and depth < DEEPEST:
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part, depth + 1)
