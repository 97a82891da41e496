"""How lmms-eval reads an option letter in MMBench, and in any text ("static").

Sources: EvolvingLMMs-Lab/lmms-eval at 75571cf, ``tasks/mmbench/mmbench_evals.py`` and ``tasks/_task_utils/mcq_extract.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mipha_eval.scoring.answers.letters import API_FAILURE

#: MMBench's columns, and the letters that may stand for an answer (E was once "none of them")
COLUMNS, LETTERS = "ABCD", "ABCDE"

#: what may stand around a letter that is a word of its own, in the order in which it is looked for
DRESSES = (
    *(("", "."), ("", ","), ("", ":"), ("", ")"), ("", ").")),
    *(("(", ")"), ("(", ")."), (":", ""), (":", ","), (":", "."), (":", ")"), (":", ").")),
)

OUTER = (",", ".", "!", "?", ";", ":", "'", '"')
#: what an answer is announced by; "the answer is" and the like are found by their ends
ANNOUNCED = (
    *("answer is", "the answer is", "the correct answer is", "correct answer is", "the best answer is", "best answer is"),
    *("the correct option is", "correct option is", "the best option is", "best option is", "the choice is", "choice is"),
    *("the correct choice is", "correct choice is", "i choose", "i select", "i pick", "my answer is", "my choice is"),
    *("옵션", "정답은", "답은", "답:", "答案是", "答案为", "选", "答えは"),
)
#: how much each form of a letter is believed; of equal ones the last in the text is taken
BELIEVED = {"first": 10, "last": 9, "announced": 7, "({})": 6, "{}.": 5, "{}:": 4, "{})": 3, "{} ": 2}


def read_letter(text: str, options: Mapping[str, str]) -> str:
    """A letter alone or in one dress, else the option whose text alone is in the answer; empty for neither.

    Args:
        options: all four by letter; one that is not there is the text ``nan``, as the suite's table has it.
    """
    letter = "" if API_FAILURE in text else _lone_letter(text.split())
    if letter:
        return letter
    named = [name for name, option in options.items() if option.lower() in text.lower()]
    return named[0] if len(named) == 1 else ""


def _lone_letter(words: list[str]) -> str:
    bare = [letter for letter in LETTERS if letter in words]
    # among four words or more "A" may be an article
    if len(bare) == 1 and not ("A" in words and len(words) > 3):
        return bare[0]
    for before, behind in DRESSES:
        dressed = [letter for letter in LETTERS if f"{before}{letter}{behind}" in words]
        if len(dressed) == 1:
            return dressed[0]
    return ""


class Candidate(NamedTuple):
    """A letter that may be the answer."""

    letter: str
    place: int
    form: str


def extract_letter(text: str) -> str:
    """The best believed of all letters A to D that an answer holds; empty if it has none."""
    bare = text.strip()
    for mark in OUTER:
        bare = bare.strip(mark)
    padded = f" {bare} "
    found = list(_candidates(padded)) or [
        Candidate(letter, padded.rfind(letter), "") for letter in COLUMNS if letter in padded
    ]
    best = max(found, key=lambda one: (BELIEVED.get(one.form, 0), one.place), default=None) if text.strip() else None
    return best.letter if best else ""


def _candidates(padded: str) -> Iterator[Candidate]:
    for form in ("({})", "{}.", "{}:", "{})", "{} "):
        for letter in COLUMNS:
            place = padded.rfind(form.replace("{}", letter))
            if place >= 0:
                yield Candidate(letter, place, form)
    lowered, bare = padded.lower(), padded.strip()
    for phrase in ANNOUNCED:
        start = lowered.find(phrase)
        places = {letter: padded.find(letter, start + len(phrase)) for letter in COLUMNS} if start >= 0 else {}
        yield from (Candidate(letter, place, "announced") for letter, place in places.items() if place >= 0)
    for letter in COLUMNS:
        if bare.startswith(letter) and not bare[1:2].isalpha():
            yield Candidate(letter, 0, "first")
    for letter in COLUMNS:
        if bare.endswith(letter) and not bare[-2:-1].isalpha():
            yield Candidate(letter, len(padded) - 1, "last")
