"""Inspect's logs: ``.eval``, a zip with a file a sample, and ``.json``, one object with all of them.

Long texts may stand elsewhere: ``attachment://KEY`` points to the sample's ``attachments``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import parse_json
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.data.suite_files.fields import answer_in, asked_in, categories_of, first_id, first_picture
from mipha_eval.data.suite_files.given import GivenAnswer, GivenFile
from mipha_eval.data.suite_files.members import read_members
from mipha_eval.data.suite_files.stored import StoredFile

ATTACHED = "attachment://"
SAMPLES = "samples/"
#: a log has one of these
HEADS = ("header.json", "start.json", "_journal/start.json")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def read_inspect(file: StoredFile) -> GivenFile | None:
    """A log in either format; None for other files.

    Raises:
        UserError: the log has no samples, several epochs, or a sample without an answer.
    """
    if any(head in file.members for head in HEADS):
        listed = list(_members(file))
    elif (
        not isinstance(file.whole, Mapping) or not isinstance(file.whole.get("eval"), Mapping) or "version" not in file.whole
    ):
        return None
    else:
        samples = file.whole.get("samples")
        rows = samples if isinstance(samples, list) else []
        listed = [
            (f"{file.path}: sample {number}", row) for number, row in enumerate(rows, start=1) if isinstance(row, Mapping)
        ]
    if not listed:
        raise UserError(f"{file.path} is a log of Inspect without samples; it has only the head, or is of a newer format")
    epochs = {row.get("epoch", 1) for _, row in listed}
    if len(epochs) > 1:
        raise UserError(
            f"{file.path} has answers of {len(epochs)} epochs; a score is of one answer a question, so log one epoch"
        )
    answers = [_answer(place, row, str(file.path)) for place, row in listed]
    return GivenFile("a log of Inspect", answers, own_ids=all(first_id(_metadata(row)) is not None for _, row in listed))


def _members(file: StoredFile) -> Iterator[tuple[str, JsonObject]]:
    for name, data in read_members(file.path, SAMPLES, ".json"):
        place = f"{file.path}: {name}"
        try:
            value = parse_json(data.decode(json.detect_encoding(data), "surrogateescape"))
        except ValueError as error:
            raise UserError(f"{place} is not JSON: {error}") from error
        if isinstance(value, dict):
            yield place, value


def _answer(place: str, row: JsonObject, part: str) -> GivenAnswer:
    attached = row.get("attachments")
    row = {
        **row,
        **_attached({"input": row.get("input"), "messages": row.get("messages"), "output": row.get("output")}, attached),
    }
    known = _metadata(row)
    name, target, output = row.get("id"), row.get("target"), row.get("output")
    text, error = answer_in(output), row.get("error") or (output.get("error") if isinstance(output, Mapping) else None)
    if text is None and not error:
        raise UserError(f"{place} has no answer in output.choices")
    own = first_id(known)
    return GivenAnswer(
        place,
        text or "",
        id=own if own is not None else name if isinstance(name, str | int) else None,
        number=name - 1 if isinstance(name, int) else None,  # Inspect numbers samples without ids from 1
        part=part,
        asked=asked_in(row.get("messages")) or _input(row),
        picture=first_picture(known),
        categories=categories_of(known),
        right=target if isinstance(target, str) else "",
        error=_reason(error),
    )


def _metadata(row: JsonObject) -> list[JsonObject]:
    metadata = row.get("metadata")
    return [metadata] if isinstance(metadata, Mapping) else []


def _reason(error: Json) -> str:
    if isinstance(error, Mapping):
        return str(error.get("message") or "it failed")
    return str(error) if error else ""


def _input(row: JsonObject) -> str:
    choices = row.get("choices")
    listed = choices if isinstance(choices, list) else []
    options = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, listed, strict=False)]
    return "\n".join([asked_in(row.get("input")), *options])


def _attached(values: JsonObject, attached: Json) -> dict[str, Json]:
    """Values with the texts that stand elsewhere in their places."""
    known = attached if isinstance(attached, Mapping) else {}
    return {name: _resolved(value, known) for name, value in values.items()}


def _resolved(value: Json, known: JsonObject) -> Json:
    if isinstance(value, str) and value.startswith(ATTACHED):
        found = known.get(value.removeprefix(ATTACHED))
        return found if isinstance(found, str) else value
    if isinstance(value, Mapping):
        return {name: _resolved(part, known) for name, part in value.items()}
    if isinstance(value, list):
        return [_resolved(part, known) for part in value]
    return value
