"""A question as the author of a benchmark has it, before it is put in any form."""

from __future__ import annotations

from dataclasses import dataclass

from mipha_eval.core.types import Image


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
