"""VLMEvalKit's tables: the columns of its data set without pictures, and ``prediction``; as sheet, text or JSON list.

``index`` is VLMEvalKit's own number of a row, and the benchmark's only of MMBench; so a row must show its question. Of POPE
a row stands for the same question in several categories, which are joined with commas.
"""

from __future__ import annotations

from collections.abc import Iterable

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.suites.read.fields import categories_of, first_id, first_picture, first_text, lettered_options
from mipha_eval.suites.read.given import GivenAnswer, GivenFile
from mipha_eval.suites.read.stored import StoredFile

#: what stands in place of an answer that a server did not give
FAILED = "Failed to obtain answer"
#: columns that make a table one of answers
NEEDED = {"index", "prediction"}
#: ids that some of its tables keep beside `index`
IDS = ("question_id", "questionId", "index")


def refuse_pickle(file: StoredFile) -> None:
    """Raises UserError for a pickle, which is never opened."""
    if file.is_pickle:
        raise UserError(
            f"{file.path} is a pickle, which can run any code when it is opened; VLMEvalKit writes a table beside it, "
            ".xlsx or .tsv, which is read"
        )


def read_vlmevalkit_list(file: StoredFile) -> GivenFile | None:
    """A table as a JSON list; None for other files."""
    if not (file.listed and set(file.sample) >= NEEDED):
        return None
    return _given(file, [(place, dict(row)) for place, row in file.listed])


def read_vlmevalkit(file: StoredFile) -> GivenFile | None:
    """A table with predictions; None for other files."""
    if not set(file.columns) >= NEEDED:
        return None
    return _given(file, [(place, {name: _cell(cell) for name, cell in row.items()}) for place, row in file.table])


def _given(file: StoredFile, rows: Iterable[tuple[str, JsonObject]]) -> GivenFile:
    part = str(file.path)
    return GivenFile("VLMEvalKit's table", [_answer(place, row, part) for place, row in rows], own_ids=False)


def _cell(cell: object) -> str | int | float | None:
    """Cells as JSON would have them; the model's own words stay what they are, "None" and "NA" among them."""
    if cell is None or isinstance(cell, str | int | float):
        return cell
    return str(cell)


def _answer(place: str, row: JsonObject, part: str) -> GivenAnswer:
    given, index = row.get("prediction"), first_id([row], ("index",))
    text = "" if given is None else str(given)
    hint = "" if str(row.get("hint") or "").lower() in ("", "nan", "none") else str(row["hint"])
    question = first_text([row], "question")
    asked = "\n".join(filter(None, [hint, question, lettered_options(row)])) if question else ""
    return GivenAnswer(
        place,
        text,
        id=first_id([row], IDS),
        number=index if isinstance(index, int) else int(index) if isinstance(index, str) and index.isdecimal() else None,
        part=part,
        asked=asked,
        picture=first_picture([row]),
        categories=categories_of([row]),
        right=str(row.get("answer") or ""),
        error=text if text.startswith(FAILED) else "",
    )
