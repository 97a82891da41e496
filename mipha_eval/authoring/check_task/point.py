"""A point of the check, and how its lines are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.authoring.finding import Level
from mipha_eval.core.plugins.blame import place_of
from mipha_eval.core.printable import printable
from mipha_eval.scoring.tables.table_task import definition_of

LONGEST = 60  # characters of a value in a line


#: what a point says: its level and its line
Said: TypeAlias = "tuple[Level, str]"


@dataclass(frozen=True)
class Point:
    """One thing that is looked at.

    Attributes:
        needs: ``questions`` that can be read, ``labels`` on them, or nothing.
    """

    name: str
    look: Callable[[TaskUnderCheck], Iterable[Said]]
    needs: Literal["", "questions", "labels"] = "labels"


def some(names: Sequence[object], most: int = 3) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(map(cut, names[:most]))}{more}"


def cut(value: object) -> str:
    """A value in a line."""
    text = printable(" ".join(str(value).split()))
    return f"{text[:LONGEST]}..." if len(text) > LONGEST else text


def quoted(value: object) -> str:
    """A text of a task's in a line."""
    return f"'{cut(value)}'"


def count(number: int, thing: str) -> str:
    """So many things."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def of(part: int, whole: int) -> str:
    """A part of a whole."""
    return f"{part:,} of {whole:,}"


def place_in_code(under: TaskUnderCheck, method: str) -> str:
    """Where an author looks for what is wrong: the method in his file, or his table."""
    return under.task.named if definition_of(under.task) else place_of(type(under.task), method)
