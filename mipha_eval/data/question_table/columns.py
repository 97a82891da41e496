"""Which column of a table holds what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

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
        letters: columns with an option each, where there is none with all of them.
    """

    of: Mapping[str, str]
    letters: tuple[str, ...] = ()

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
    letters = () if "choices" in of else tuple(letter for letter in LETTERS if letter in present)
    return Columns(of, letters if letters[:2] == ("A", "B") else ())


def names_of(rows: Iterable[Mapping[str, object]]) -> dict[str, None]:
    """The columns that some rows have, in the order in which they come."""
    return {name: None for row in rows for name in row}
