"""A question as the author of a benchmark has it, before it is put in any form."""

from __future__ import annotations

from dataclasses import dataclass

from mipha_eval.core.plugins.checks.questions import tuple_of
from mipha_eval.core.plugins.checks.refusal import are, shown
from mipha_eval.core.types import Image

#: what must be a tuple, and of what; the rest is text
TUPLES = {"answers": (str, "texts"), "images": (Image, "images"), "choices": (str, "texts")}
TEXTS = ("text", "hint", "id", "category", "group", "place")


@dataclass(frozen=True, slots=True)
class Question:
    """What a row of a benchmark says.

    Attributes:
        text: the question itself, without options and format line; empty where every picture is asked the same, as for
            captions.
        answers: what is accepted; of a question with options the right one, by its letter or its text. Empty where the
            labels are not public.
        choices: the options in the order of their letters; an empty one is none.
        hint: what is given before the question.
        id: unique within the benchmark; empty for the number of the row.
        group: questions with the same group are scored together.
        place: where it stands, for errors: ``FILE:LINE``.
    """

    text: str = ""
    answers: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    choices: tuple[str, ...] = ()
    hint: str = ""
    id: str = ""
    category: str = ""
    group: str = ""
    place: str = ""


def wrong_question(question: object) -> str:
    """What is wrong with what an author gave as a question, in his terms; "" if nothing is."""
    if type(question) is not Question:
        return f"questions must give Question objects, not {shown(question)}"
    for name, (kind, things) in TUPLES.items():
        value = getattr(question, name)
        if not are(kind, value):
            return f"{name} must be a tuple of {things}, not {shown(value)}: {tuple_of(kind, name, value)}"
    wrong = next((name for name in TEXTS if type(getattr(question, name)) is not str), "")
    return f"{wrong} must be a text, not {shown(getattr(question, wrong))}" if wrong else ""
