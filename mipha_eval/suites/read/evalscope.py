"""EvalScope's predictions and reviews: JSON lines, a file a subset, whose rows are numbered anew in each.

A prediction has ``index``, ``model_output`` and the ``messages`` that were sent; a review has ``index``, ``input``, and
``target``, and ``sample_score``, with what the benchmark says of the question in ``sample_metadata``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.suites.read.fields import answer_in, asked_in, categories_of, first_id, first_picture
from mipha_eval.suites.read.given import GivenAnswer, GivenFile
from mipha_eval.suites.read.stored import StoredFile


def read_evalscope(file: StoredFile) -> GivenFile | None:
    """Predictions or reviews; None for other files. Raises UserError for a row without an answer."""
    sample = file.sample
    if "index" not in sample:
        return None
    part = str(file.path)
    if isinstance(sample.get("model_output"), Mapping):
        return GivenFile("EvalScope's predictions", [_prediction(place, row, part) for place, row in file.rows()])
    if isinstance(sample.get("sample_score"), Mapping):
        return GivenFile("EvalScope's reviews", [_review(place, row, part) for place, row in file.rows()])
    return None


def _prediction(place: str, row: JsonObject, part: str) -> GivenAnswer:
    output, messages = row.get("model_output"), row.get("messages")
    known = [value for value in (row.get("metadata"),) if isinstance(value, Mapping)]
    error = output.get("error") if isinstance(output, Mapping) else None
    text = answer_in(output)
    if text is None and not error:
        raise UserError(f"{place} has no answer in model_output.choices")
    given = _given(place, row, part, known)
    return replace(given, text=text or "", asked=asked_in(messages), error=str(error or ""))


def _review(place: str, row: JsonObject, part: str) -> GivenAnswer:
    scored = row.get("sample_score")
    score = scored.get("score") if isinstance(scored, Mapping) else None
    text = score.get("prediction") if isinstance(score, Mapping) else None
    metadata = scored.get("sample_metadata") if isinstance(scored, Mapping) else None
    if not isinstance(text, str):
        raise UserError(f"{place} has no answer in sample_score.score.prediction")
    known = [metadata] if isinstance(metadata, Mapping) else []
    return replace(_given(place, row, part, known), text=text, asked=asked_in(row.get("input")))


def _given(place: str, row: JsonObject, part: str, known: list[JsonObject]) -> GivenAnswer:
    """What predictions and reviews have in common."""
    number, right = row.get("index"), row.get("target")
    return GivenAnswer(
        place,
        text="",
        id=first_id(known),
        number=number if isinstance(number, int) else None,
        part=part,
        picture=first_picture(known),
        categories=categories_of(known),
        right=right if isinstance(right, str) else "",
    )
