"""Inspect's logs: ``.eval``, a zip of samples, and ``.json``, one object with all of them.

They are read by ``inspect_ai.log`` where that is installed, and else, or where it cannot, as their form is documented.
Long texts may stand elsewhere: ``attachment://KEY`` points to the sample's ``attachments``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.data.suite_files.fields import answer_in, asked_in, categories_of, first_id, first_picture
from mipha_eval.data.suite_files.given import GivenAnswer, GivenFile
from mipha_eval.data.suite_files.inspect_library import samples_by_library
from mipha_eval.data.suite_files.inspect_zip import samples_in_zip
from mipha_eval.data.suite_files.stored import StoredFile

ATTACHED = "attachment://"
#: a log has one of these
HEADS = ("header.json", "start.json", "_journal/start.json")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def read_inspect(file: StoredFile) -> GivenFile | None:
    """A log in either format; None for other files.

    Raises:
        UserError: the log has no samples, several epochs, or a sample without an answer.
    """
    zipped = any(head in file.members for head in HEADS)
    if not zipped and not _is_log(file.whole):
        return None
    listed = samples_by_library(file.path, "eval" if zipped else "json")
    if listed is None:
        listed = list(samples_in_zip(file.path)) if zipped else _listed(file)
    if not listed:
        raise UserError(f"{file.path} is a log of Inspect without samples; it has only the head, or is of a newer format")
    epochs = {row.get("epoch", 1) for _, row in listed}
    if len(epochs) > 1:
        raise UserError(
            f"{file.path} has answers of {len(epochs)} epochs; a score is of one answer a question, so log one epoch"
        )
    answers = [_answer(place, row, str(file.path)) for place, row in listed]
    return GivenFile("a log of Inspect", answers, own_ids=all(first_id(_metadata(row)) is not None for _, row in listed))


def _is_log(whole: Json) -> bool:
    return isinstance(whole, Mapping) and isinstance(whole.get("eval"), Mapping) and "version" in whole


def _listed(file: StoredFile) -> Sequence[tuple[str, JsonObject]]:
    """The samples of a log that is one object."""
    samples = file.whole.get("samples") if isinstance(file.whole, Mapping) else None
    rows = samples if isinstance(samples, list) else []
    return [(f"{file.path}: sample {number}", row) for number, row in enumerate(rows, start=1) if isinstance(row, Mapping)]


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
