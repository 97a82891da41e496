"""All kinds of questions, in families whose prompts are of similar length, so that little is padded in training."""

from __future__ import annotations

from collections.abc import Mapping

from mipha_eval.demo import choices, questions, sentences
from mipha_eval.demo.questions import Asker

#: a family whose questions need no picture
TEXT_ONLY = "text"

FAMILIES: Mapping[str, Mapping[str, Asker]] = {
    "short": questions.KINDS,
    "choice": choices.KINDS,
    "sentence": sentences.KINDS,
    TEXT_ONLY: {"category": choices.ask_category},
}
