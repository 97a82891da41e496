"""Reading an option letter: the official rules of MMBench and ScienceQA, bug for bug."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.reading import Reading

#: what an answer starts as when an API failed or a model refused
API_FAILURE = "Failed to obtain answer via API"
REFUSALS = (
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    "Cannot determine the answer",
)
SEPARATORS = str.maketrans(dict.fromkeys(".()[],:;!*#{}", " "))
NO_OPTION = "Z"
#: the script's ``--options``, unless it is given another list
SCIENCEQA_OPTIONS = 5


def read_mmbench(text: str, options: Mapping[str, str]) -> Reading:
    """MMBench's rule (VLMEvalKit's can_infer, without a judge): a lone option letter near the end, else an option's text.

    Options go by the columns A to Z of the table, but only A to D are read from a statement ("the answer is B"). Where a
    question has 26 options, ``Z`` is both the last of them and none of them, as in the official code.

    Args:
        options: letter -> option text.

    Returns:
        The letter, ``Z`` for none of the options, or an unparsed reading with an empty answer.

    Source: open-compass/VLMEvalKit at e8e78f0, ``vlmeval/utils/matching_util.py``.
    """
    return _lone_letter(text, options) or _option_text(text, options) or Reading("", "mmbench-unread", parsed=False)


def _lone_letter(text: str, options: Mapping[str, str]) -> Reading | None:
    if API_FAILURE in text:
        return None
    if any(refusal in text for refusal in REFUSALS):
        return Reading(NO_OPTION, "mmbench-refusal")
    words = text.translate(SEPARATORS).split()
    named = [letter for letter in options if letter in words]
    if len(named) == 1 and words.index(named[0]) > len(words) - 5:
        start = _word_start(text, named[0])
        return Reading(named[0], "mmbench-letter", (start, start + 1))
    if not named and NO_OPTION in words:
        return Reading(NO_OPTION, "mmbench-letter-z")
    stated = re.search(r"answer\s+is\s+\**([A-D])", text, re.IGNORECASE)
    if stated and stated[1].upper() in options:
        return Reading(stated[1].upper(), "mmbench-stated", stated.span(1))
    return None


def _word_start(text: str, word: str) -> int:
    """Where `word` first stands between separators in `text`."""
    padded = f" {text.translate(SEPARATORS)} "
    place = re.search(rf"(?<=\s){re.escape(word)}(?=\s)", padded)
    return place.start() - 1 if place else 0


def _option_text(text: str, options: Mapping[str, str]) -> Reading | None:
    lowered = text.lower()
    if len(lowered) > 2 * sum(len(option) for option in options.values()):
        return None
    named = [letter for letter, option in options.items() if option.lower() in lowered]
    if len(named) != 1:
        return None
    start = lowered.find(options[named[0]].lower())
    return Reading(named[0], "mmbench-text", (start, start + len(options[named[0]])))


def read_scienceqa(text: str, choices: Sequence[str]) -> Reading:
    """LLaVA's rule for ScienceQA: a bare letter, ``X. ...`` at the start, or ``The answer is X.`` once; case counts.

    A letter beyond the question's choices is wrong but read. The script knows the letters A to E, as many as any question of
    the benchmark has choices, and fails on more unless its ``--options`` name them: a question with more than five choices
    is read with as many letters as it has. Source: haotian-liu/LLaVA at c121f04, ``eval_science_qa.py``.
    """
    known = LETTERS[: max(SCIENCEQA_OPTIONS, len(choices))]
    if len(text) == 1 and text in known:
        return _within(Reading(text, "scienceqa-letter", (0, 1)), choices)
    if len(text) >= 3 and text[0] in known and text[1:3] == ". ":
        return _within(Reading(text[0], "scienceqa-letter-first", (0, 1)), choices)
    stated = list(re.finditer(r"The answer is ([A-Z]).", text))
    if len(stated) == 1:
        return _within(Reading(stated[0][1], "scienceqa-stated", stated[0].span(1)), choices)
    return Reading("", "scienceqa-unread", parsed=False)


def _within(reading: Reading, choices: Sequence[str]) -> Reading:
    if reading.answer in LETTERS[: len(choices)]:
        return reading
    return Reading(reading.answer, f"{reading.rule}-beyond", reading.span)
