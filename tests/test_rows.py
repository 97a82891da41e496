"""Lines that are decoded at once are what they are when they are looked at field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mipha_eval.core.errors import UserError
from mipha_eval.core.record import checked
from mipha_eval.store.migrations import renamed
from mipha_eval.store.responses import BEFORE, ROWS, ResponseRow
from mipha_eval.store.scores import ROWS as SCORES
from mipha_eval.store.scores import StoredScore

ROW = {"sample": "1", "key": "k", "images": ["a"], "text": "Yes", "error": ""}
SCORE = {"sample": "1", "value": 1.0, "reading": "yes", "rule": "r"}


def slowly(row: dict[str, Any]) -> ResponseRow:
    """The same without msgspec's own reader of JSON."""
    return checked(ResponseRow, renamed(json.loads(json.dumps(row)), BEFORE), "it")


@given(st.text(st.characters(exclude_categories=())), st.lists(st.floats(0, 1), max_size=3), st.booleans())
def test_any_text_and_numbers(text: str, numbers: list[float], before: bool) -> None:
    row = {**ROW, "text": text, "sample": text, ("chances" if before else "probabilities"): numbers}
    found = ROWS.decode(json.dumps(row), "it")
    assert found == slowly(row)
    assert (found.text, found.probabilities) == (text, tuple(numbers))


@pytest.mark.parametrize("text", ['"chances": [0.5]', '\\"chances\\":', '{"chances":[1]}', "\ud800", "\udc80 é"])
def test_what_looks_like_a_field_of_before_in_a_text_is_a_text(text: str) -> None:
    row = {**ROW, "text": text, "probabilities": [0.25]}
    found = ROWS.decode(json.dumps(row), "it")
    assert (found.text, found.probabilities) == (text, (0.25,))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": None}, "text"),
        ({"tokens": -1}, "tokens"),
        ({"tokens": True}, "tokens"),
        ({"tokens": 1e300}, "tokens"),
        ({"images": "a"}, "images"),
        ({"images": [5]}, "images"),
        ({"top": [[1]]}, "top"),
        ({"likelihoods": [-1.0]}, "option_tokens"),
        ({"likelihoods": [-1.0], "option_tokens": [0]}, "option_tokens"),
        ({"chances": "x"}, "probabilities"),
    ],
)
def test_damage_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(UserError, match=rf"(?s)^file:3 is damaged: .*{field}"):
        ROWS.decode(json.dumps({**ROW, **change}), "file:3")


@pytest.mark.parametrize("value", ["-0.1", "1e400", "NaN", "Infinity", "null", '"1"', "true", "[]"])
def test_what_is_no_worth(value: str) -> None:
    line = json.dumps({**SCORE, "value": 0.123}).replace("0.123", value)
    with pytest.raises(UserError, match=r"^file:1 is "):
        SCORES.decode(line, "file:1")


@pytest.mark.parametrize("whole", [7, 2**63, 2**64 + 1, -(2**70)])
def test_whole_numbers_of_any_size_stay(whole: int) -> None:
    found = SCORES.decode(json.dumps({**SCORE, "details": {"count": whole, "parts": [whole, 0.5]}}), "it")
    assert found.details == {"count": whole, "parts": [whole, 0.5]}
    assert found == checked(StoredScore, {**SCORE, "details": {"count": whole, "parts": [whole, 0.5]}}, "it")
