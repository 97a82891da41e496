"""lmms-eval's samples: ``*_samples_TASK.jsonl``, with documents until 0.3 and without since, and older logs.

Rows of one question have ``doc_id``, the row of the hub's split; where a benchmark has ids, they stand in the document or in
what a metric was given. ``filtered_resps`` is what the metrics read, ``input`` the prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.data.suite_files.fields import (
    categories_of,
    first_id,
    first_picture,
    first_text,
    lettered_options,
    objects_in,
)
from mipha_eval.data.suite_files.given import GivenAnswer, GivenFile
from mipha_eval.data.suite_files.stored import StoredFile

#: one of these beside a `doc_id` makes a row of samples
ANSWERS = ("filtered_resps", "resps")


def read_lmms_eval(file: StoredFile) -> GivenFile | None:
    """Samples or older logs; None for other files.

    Raises:
        UserError: the file has results without samples, or a row without an answer.
    """
    sample = file.sample
    if "doc_id" in sample and any(name in sample for name in ANSWERS):
        form = "lmms-eval's samples, with documents" if isinstance(sample.get("doc"), Mapping) else "lmms-eval's samples"
        return GivenFile(form, _answers(file, file.rows()))
    whole = file.whole
    if not isinstance(whole, Mapping):
        return None
    logs = whole.get("logs")
    if isinstance(logs, list) and logs and isinstance(logs[0], Mapping) and "doc_id" in logs[0]:
        rows = [
            (f"{file.path}: entry {number}", row) for number, row in enumerate(logs, start=1) if isinstance(row, Mapping)
        ]
        return GivenFile("lmms-eval's log", _answers(file, rows))
    if isinstance(whole.get("results"), Mapping) and isinstance(whole.get("configs"), Mapping):
        raise UserError(
            f"{file.path} has lmms-eval's results and no answers; those are in the files _samples_TASK.jsonl beside it, "
            "if it ran with log_samples"
        )
    return None


def _answers(file: StoredFile, rows: Iterable[tuple[str, JsonObject]]) -> list[GivenAnswer]:
    return [_answer(place, row, str(file.path)) for place, row in rows]


def _answer(place: str, row: JsonObject, part: str) -> GivenAnswer:
    doc = row.get("doc")
    known = [*([doc] if isinstance(doc, Mapping) else []), *objects_in({name: row[name] for name in row if name != "doc"})]
    number = row.get("doc_id")
    return GivenAnswer(
        place,
        _text(place, row),
        id=first_id(known),
        number=number if isinstance(number, int) else None,
        part=part,
        asked=_asked(row, known),
        picture=first_picture(known),
        categories=categories_of(known),
        right=_right(row),
    )


def _text(place: str, row: JsonObject) -> str:
    """What the metrics read; where an answer was drawn several times, they must be the same."""
    for name in ANSWERS:
        found = list(dict.fromkeys(_leaves(row.get(name))))
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(f"{place} has {len(found)} answers in {name}; keep one")
    raise UserError(
        f"{place} has no text in filtered_resps; a task that ranks options by their likelihood has no answers to score"
    )


def _leaves(value: Json) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part)


def _asked(row: JsonObject, known: list[JsonObject]) -> str:
    """The prompt; of rows that do not show it the question with its options."""
    prompt = row.get("input")
    if isinstance(prompt, str) and prompt.strip():
        return prompt
    given = row.get("arguments")
    if isinstance(given, list):
        first = given[0] if given else None
        shown = first[0] if isinstance(first, list) and first else first
        if isinstance(shown, str) and shown.strip():
            return shown
    question = first_text(known, "question", "text")
    options = next((lines for lines in map(lettered_options, known) if lines), "")
    return "\n".join(filter(None, [question, options]))


def _right(row: JsonObject) -> str:
    target = row.get("target")
    return target if isinstance(target, str) else str(target) if isinstance(target, int) else ""
