"""A letter as VLMEvalKit infers it: a letter that stands alone, else the only option whose wording is in the answer.

Follows can_infer in vlmeval/utils/matching_util.py of open-compass/VLMEvalKit with the environment variable VERBOSE
unset (set, it refuses an "A" among more than three words). The rule itself is in mmbench.py. An option without wording is
no option. VLMEvalKit before 17 June 2026 (pull request 1552) does not look for "answer is X", a sentence that is also found
in "the answer is an apple" (A).
"""

import string

from .mmbench import letter_of

SOURCE = "open-compass/VLMEvalKit@e8e78f05f308"


def value(answer: str, answers: list[str], choices: list[str]) -> float:
    """1 if the letter inferred from the answer is the right one."""
    options = {string.ascii_uppercase[place]: wording for place, wording in enumerate(choices) if wording}
    return float(letter_of(answer, options) in answers)
