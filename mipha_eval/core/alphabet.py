"""The letters that options go by, in every task, rule, prompt and judge."""

from __future__ import annotations

import string
from collections.abc import Collection, Sequence

from mipha_eval.core.errors import UserError

LETTERS = string.ascii_uppercase


def lettered(options: Sequence[str]) -> list[tuple[str, str]]:
    """(letter, option) of each option, in their order.

    Raises:
        UserError: there are more options than letters.
    """
    if len(options) > len(LETTERS):
        raise UserError(f"a question has {len(options)} options, but only {len(LETTERS)} letters can name them")
    return list(zip(LETTERS, options, strict=False))


def columns_of_options(columns: Collection[str]) -> str:
    """The letters of options up to the last that has a column in a table: four in MMBench's own tables.

    Raises:
        KeyError: there is no column A.
    """
    if "A" not in columns:
        raise KeyError("A")
    return LETTERS[: 1 + max(place for place, letter in enumerate(LETTERS) if letter in columns)]
