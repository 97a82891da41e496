"""How probable a server's model holds possible answers, by its likeliest first tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: what stands before a word in a token, as text and as tokenizers write it
BEFORE_WORDS = " \n\t\u2581\u0120\u010a"

#: how many of the likeliest tokens are asked for, the most that OpenAI's servers tell
ASKED = 20


def answer_probabilities(likeliest: Sequence[tuple[str, float]], tracked: Sequence[str]) -> tuple[float, ...]:
    """The probability that the first token is each text, with or without space before it; 0 for one not among the likeliest.

    Args:
        likeliest: (token, log-probability), each token once.

    Returns:
        Nothing where none of the texts is among them: then the answer does not begin there, or nothing is known.
    """
    found = [sum(math.exp(value) for token, value in likeliest if token.strip(BEFORE_WORDS) == text) for text in tracked]
    return tuple(min(value, 1.0) for value in found) if any(found) else ()
