"""Which column of a table holds what."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown

#: what a question may have -> columns that hold it where nobody names one, the first that is there
ROLES: Mapping[str, tuple[str, ...]] = {
    "image": ("image", "images", "file_name", "file_names"),
    "question": ("question",),
    "answer": ("answer", "answers"),
    "choices": ("choices", "options"),
    "id": ("id",),
    "category": ("category",),
    "group": ("group",),
    "hint": ("hint",),
}


@dataclass(frozen=True)
class Columns:
    """The column of each role that the table has.

    Attributes:
        of: by role.
        letters: columns with an option each, from A without gaps, where there is none with all of them.
    """

    of: Mapping[str, str]
    letters: tuple[str, ...] = ()

    def unread(self, row: Mapping[str, object]) -> str:
        """What is wrong with a row that holds something where the first rows had nothing; "" if nothing is."""
        odd = next((name for name in self.watched if row.get(name) not in (None, "", [])), None)
        return f"its column {odd} holds something, which no column of the first rows does" if odd else ""

    @cached_property
    def watched(self) -> tuple[str, ...]:
        """Columns that would be read if the first rows had them."""
        known = {name for names in ROLES.values() for name in names} | ({"A", "B"} if not self.has_choices else set())
        return tuple(sorted(known - {*self.of.values(), *self.letters}))

    @property
    def has_choices(self) -> bool:
        """Whether there are options."""
        return "choices" in self.of or bool(self.letters)


def find_columns(table: str, present: Collection[str], given: Mapping[str, str]) -> Columns:
    """The columns of a table.

    Args:
        table: what it is called, for errors.
        present: the columns that it has.
        given: those that the user named, by role.

    Raises:
        UserError: one that was named does not exist, or there is no answer.
    """
    for role, column in given.items():
        if role not in ROLES:
            raise UserError(unknown("column's meaning", role, ROLES), flag="--columns")
        if column not in present:
            raise UserError(unknown("column", column, present, f"{table} has"), flag="--columns")
    usual = {role: next((name for name in names if name in present), None) for role, names in ROLES.items()}
    of = {**{role: name for role, name in usual.items() if name is not None}, **given}
    if "answer" not in of:
        raise UserError(
            f"{table} has no column answer, but {', '.join(map(str, present))}; say which one holds it, answer=COLUMN, and "
            "likewise for question, image and whatever else has another name",
            flag="--columns",
        )
    letters = () if "choices" in of else tuple(itertools.takewhile(present.__contains__, LETTERS))
    return Columns(of, letters if len(letters) > 1 else ())


def names_of(rows: Iterable[Mapping[str, object]]) -> dict[str, None]:
    """The columns that some rows have, in the order in which they come."""
    return {name: None for row in rows for name in row}
