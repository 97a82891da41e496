"""What a cell of a table of questions means. What it cannot mean is a ValueError."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from mipha_eval.core.alphabet import LETTERS


def text_of_cell(value: object) -> str:
    """A cell as a text; empty for none. A truth is yes or no, as questions are answered."""
    if type(value) is str:  # nearly all
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and math.isnan(value):
        return ""  # how tables of numbers say that there is none
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"{shown(value)} is no text")


def texts_of_cell(value: object, *, listed: bool = False) -> tuple[str, ...]:
    """A cell as texts: a list, or a single one; nothing for an empty cell.

    Args:
        listed: whether a text may be a list that is written as JSON.
    """
    if isinstance(value, list | tuple):
        return tuple(map(text_of_cell, value))
    text = text_of_cell(value)
    if listed and text.lstrip().startswith("["):
        return texts_of_cell(listed_in(text))
    return (text,) if text.strip() else ()


def choices_of_cell(value: object) -> tuple[str, ...]:
    """Options in order: a list, that list as JSON, or an object of letters and options."""
    if isinstance(value, Mapping):
        return _by_letter(value)
    found = texts_of_cell(value, listed=True)
    if isinstance(value, str) and len(found) == 1 and found[0] == value:
        raise ValueError(f'its options {shown(value)} are no list; in a table they are written ["one", "other"]')
    return found


def _by_letter(value: Mapping[object, object]) -> tuple[str, ...]:
    """The options of an object, each at the place of its letter."""
    wrong = next((key for key in value if key not in tuple(LETTERS)), None)
    if wrong is not None:
        raise ValueError(f"its options are called {shown(wrong)}, which is no letter from A to Z")
    found = [text_of_cell(value.get(letter)) for letter in LETTERS]
    return tuple(found[: max((place for place, text in enumerate(found, start=1) if text), default=0)])


def listed_in(text: str) -> Sequence[object]:
    """A list that is written as JSON."""
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError(f"{shown(text)} begins as a list, but is no JSON") from None
    if not isinstance(found, list):
        raise ValueError(f"{shown(text)} is no list")
    return found


def shown(value: object) -> str:
    """A value in an error's line."""
    text = repr(value)
    return f"{text[:60]}..." if len(text) > 60 else text
