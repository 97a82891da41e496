"""What an answer file of another suite says, before it is known which question each answer is to."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer, and everything that the file says about its question.

    Attributes:
        place: where it stands, for messages.
        text: as the model wrote it.
        id: the question's id, if the file has one.
        number: the row of the suite's own split, counted from 0; None where the file does not number its rows.
        part: of which file or set `number` is a row; numbers begin anew in each.
        asked: the prompt or the question; empty where the file does not say.
        picture: the picture's name.
        categories: the question's category, or all of them where it is asked in several.
        right: the right answer, if the file holds it.
        error: why there is no answer; empty where there is one.
    """

    place: str
    text: str
    id: Hashable = None
    number: int | None = None
    part: str = ""
    asked: str = ""
    picture: str = ""
    categories: tuple[str, ...] = ()
    right: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class GivenFile:
    """The answers of a file or folder.

    Attributes:
        form: what was recognised, as ``lmms-eval's samples``.
        own_ids: whether ids are the benchmark's, so that they say which question is meant where nothing else does; a
            suite's own are never believed without a question or a picture.
    """

    form: str
    answers: Sequence[GivenAnswer]
    own_ids: bool = True
