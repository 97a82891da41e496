"""Reading yes and no: the official rules of POPE and MME, bug for bug."""

from __future__ import annotations

import re

from mipha_eval.core.errors import RowError
from mipha_eval.core.reading import Reading

YES_OR_NO = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


def read_pope(text: str) -> Reading:
    """POPE's rule: "no" if one of the words No, not, no stands before the first full stop, else "yes".

    Case counts, only spaces separate words, commas are dropped. So "NO" and an empty answer are read as "yes"; they are
    scored so and, where neither yes nor no is said in any case, reported as unparsed.
    Source: AoiDragon/POPE at 08d957b, ``evaluate.py``; haotian-liu/LLaVA at c121f04, ``eval_pope.py``.
    """
    start = 0
    for word in text.split(".", 1)[0].split(" "):
        if word.replace(",", "") in ("No", "not", "no"):
            return Reading("no", "pope-negation", (start, start + len(word)))
        start += len(word) + 1
    said = YES_OR_NO.search(text)
    return Reading("yes", "pope-otherwise-yes", said.span() if said else None, parsed=said is not None)


def read_mme(text: str) -> Reading:
    """MME's rule: the whole answer is yes or no, else whatever of "yes" and then "no" is in the first four characters.

    Upper and lower case are the same; nothing is stripped. "not", "none" and "now" are read as "no".
    Source: BradyFU/Awesome-Multimodal-Large-Language-Models at dd29509, ``eval_tool/calculation.py``.
    """
    lowered = text.lower()
    if lowered in ("yes", "no"):
        return Reading(lowered, "mme-exact", (0, len(text)))
    for answer in ("yes", "no"):
        start = lowered[:4].find(answer)
        if start >= 0:
            return Reading(answer, "mme-first-four", (start, start + len(answer)))
    return Reading("other", "mme-other", parsed=False)


def yes_no_label(place: str, label: str) -> str:
    """A label of MME that the official script can read. Raises RowError where that script asserts."""
    if label.lower() not in ("yes", "no"):
        raise RowError(f"{place} has label {label!r}, which is neither Yes nor No; the official script stops at it")
    return label
