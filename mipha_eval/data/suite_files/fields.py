"""Fields of other suites' rows, which go by many names and hold texts, lists or conversations."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TypeAlias

from mipha_eval.core.json_value import Json, JsonObject

#: what suites call a question's id, its picture and its category; the first that is there counts
IDS = ("question_id", "questionId", "index", "image_id", "imageId")
PICTURES = ("image_path", "image_name", "image_source", "image_file_name", "imagename", "image_id", "imageId", "image")
CATEGORIES = ("category", "split_category", "question_category")
#: longer texts are pictures themselves
LONGEST_NAME = 300
#: how deep a text may stand in a conversation
DEEPEST = 6

Row: TypeAlias = JsonObject


def first_id(rows: Iterable[Row], names: Iterable[str] = IDS) -> Hashable:
    """The first id in rows that say something about one question; None if there is none."""
    known = list(rows)
    for name in names:
        for row in known:
            value = row.get(name)
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                return value
            if isinstance(value, float) and value.is_integer():
                return int(value)
    return None


def first_picture(rows: Iterable[Row]) -> str:
    """The first name of a picture; "" if there is none."""
    known = list(rows)
    for name in PICTURES:
        for row in known:
            value = row.get(name)
            if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and "\n" not in value:
                return value
    return ""


def first_text(rows: Iterable[Row], *names: str) -> str:
    """The first text of these names that is not blank; "" if there is none."""
    known = list(rows)
    for name in names:
        for row in known:
            value = row.get(name)
            if isinstance(value, str) and value.strip():
                return value
    return ""


def categories_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """Categories, of which VLMEvalKit joins several with commas."""
    found = first_text(rows, *CATEGORIES)
    return tuple(part.strip() for part in found.split(",") if part.strip()) if found else ()


def texts_in(value: Json, depth: int = 0) -> Iterator[str]:
    """The texts of a message's content: a text, or a list of parts; reasoning and pictures are left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < DEEPEST:
        for part in value:
            if isinstance(part, str):
                yield part
            elif isinstance(part, Mapping) and part.get("type", "text") == "text":
                yield from texts_in(part.get("text"), depth + 1)


def content(value: Json) -> str:
    """The text of a message's content."""
    return "\n".join(texts_in(value))


def asked_in(messages: Json) -> str:
    """What the first message of the user says; "" if there is none, or no conversation."""
    if isinstance(messages, str):
        return messages
    listed = messages if isinstance(messages, list) else []
    own = [message for message in listed if isinstance(message, Mapping) and message.get("role") == "user"]
    return content(own[0].get("content")) if own else ""


def answer_in(output: Json) -> str | None:
    """The text of the first choice of a model's output, as OpenAI's interface has it; None if there is none."""
    choices = output.get("choices") if isinstance(output, Mapping) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        return None
    message = choices[0].get("message")
    return content(message.get("content")) if isinstance(message, Mapping) else None


def lettered_options(row: Row) -> str:
    """A row's options, a line each, as ``A. red``; "" if it has none."""
    lines = []
    for letter in "ABCDEFGHIJKL":
        option = row.get(letter)
        if option is None or str(option).lower() in ("", "nan", "none"):
            break
        lines.append(f"{letter}. {option}")
    return "\n".join(lines)


def objects_in(row: Row) -> list[Row]:
    """A row's own fields that are objects, such as what lmms-eval hands to each metric."""
    return [value for value in row.values() if isinstance(value, Mapping)]
