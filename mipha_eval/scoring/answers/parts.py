"""Reading an open answer by the parts that it should have, where no judge grades it."""

from __future__ import annotations

import re


def share_found(text: str, truth: str) -> float:
    """The share of the expected parts that stand in a text as words, case ignored, for the best of the alternatives.

    As in MM-Vet's answers, ``<OR>`` separates alternatives and ``<AND>`` the parts of one.
    """
    shares = []
    for alternative in truth.split("<OR>"):
        parts = [re.escape(part.strip().lower()) for part in alternative.split("<AND>")]
        found = [bool(part and re.search(rf"(?<![^\W_]){part}(?![^\W_])", text.lower())) for part in parts]
        shares.append(sum(found) / len(found))
    return max(shares)
