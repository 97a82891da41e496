"""Second readings, where an official rule is known to punish a right answer. Shown beside the headline, never as it."""

from __future__ import annotations

import re
from collections.abc import Sequence

YES_NO = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
LEADING_LETTER = re.compile(r"\s*\(?([A-Z])\)?\s*(?:[.:,)]|$)", re.IGNORECASE)
STATED_LETTER = re.compile(r"\b(?:answer|option|choice)\s+is:?\s*\(?\**([A-Z])\b", re.IGNORECASE)


def robust_yes_no(text: str) -> str:
    """yes or no if the text says exactly one of them as a word, in any case; else ""."""
    said = {word.lower() for word in YES_NO.findall(text)}
    return said.pop() if len(said) == 1 else ""


def robust_letter(text: str, options: Sequence[str]) -> str:
    """The option letter that the text begins with, states, or whose option it repeats; else ""."""
    for pattern in (LEADING_LETTER.match, STATED_LETTER.search):
        found = pattern(text)
        if found and found[1].upper() in "ABCDEFGHIJ"[: len(options)]:
            return found[1].upper()
    plain = text.strip().rstrip(".").lower()
    same = [number for number, option in enumerate(options) if option and option.strip().rstrip(".").lower() == plain]
    return "ABCDEFGHIJ"[same[0]] if len(same) == 1 else ""
