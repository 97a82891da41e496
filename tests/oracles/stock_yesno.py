"""Yes or no as VLMEvalKit reads it: exactly one of the two words is among the words of the answer.

Follows YOrN_Extraction in vlmeval/dataset/utils/yorn.py and process_punctuation in vlmeval/smp/misc.py of
open-compass/VLMEvalKit, without its judge: what cannot be read is wrong. Its punctuation is that of VQAv2 with one
difference: a full stop goes only where no digit stands on either side. Colons, asterisks and quotation marks other than
the straight double one stay, so "Yes: it is" and "**Yes**" cannot be read; a mark that goes away glues words together
("yes.no" has neither word). POPE and MME read answers by other rules (pope.py, mme.py).
"""

import re

from .vqa_text import COMMA_BETWEEN_DIGITS, MOST_FULL_STOPS, PUNCTUATION

SOURCE = "open-compass/VLMEvalKit@e8e78f05f308"

FULL_STOP_WITHOUT_DIGITS = re.compile(r"(?<!\d)\.(?!\d)")


def without_punctuation(text: str) -> str:
    """Each mark goes away or becomes a space; a space beside it or a comma between digits anywhere makes it go."""
    all_go = COMMA_BETWEEN_DIGITS.search(text) is not None
    table = {ord(mark): "" if all_go or f"{mark} " in text or f" {mark}" in text else " " for mark in PUNCTUATION}
    return FULL_STOP_WITHOUT_DIGITS.sub("", text.translate(table), count=MOST_FULL_STOPS)


def reading(text: str) -> str:
    """How a text is read: yes, no or unknown."""
    found = {"yes", "no"}.intersection(without_punctuation(text.lower()).split())
    return found.pop() if len(found) == 1 else "unknown"


def value(answer: str, answers: list[str], choices: list[str]) -> float:
    """1 if the answer is read as one of the labels (yes or no, in any case)."""
    return float(reading(answer) in {label.lower() for label in answers})
