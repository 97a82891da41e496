"""What a user says of a table's row that no run says itself, such as its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from mipha_eval.core.errors import UserError

FORM = re.compile(r"(?P<run>.+):(?P<key>[\w-]+)", re.DOTALL)


@dataclass(frozen=True)
class RowSetting:
    """A fact about the row of a run.

    Attributes:
        run: its path, its folder's name, a pattern of these, or its number among the runs, from 1.
        key: ``name``, ``parameters``, ``published`` or a field of the table.
    """

    run: str
    key: str
    value: str

    @classmethod
    def parse(cls, text: str) -> RowSetting:
        """Reads ``RUN:key=value``. Raises UserError for another form."""
        before, equals, value = text.partition("=")
        found = FORM.fullmatch(before)
        if not (equals and found):
            raise UserError(f"row setting {text}: expected RUN:key=value, such as 1:name=Mipha-3B", flag="--row")
        return cls(found["run"], found["key"].replace("-", "_"), value)

    def places(self, paths: Sequence[Path]) -> list[int]:
        """Which of the runs it is about. Raises UserError if that is none."""
        if self.run.isdecimal() and 1 <= int(self.run) <= len(paths):
            return [int(self.run) - 1]
        names = [{path.resolve().name, path.name, path.stem, str(path)} for path in paths]
        found = [place for place, own in enumerate(names) if any(fnmatchcase(name, self.run) for name in own)]
        if not found:
            there = ", ".join(path.name for path in paths)
            raise UserError(f"row setting {self}: no run is called {self.run}; there are {there}", flag="--row")
        return found

    def __str__(self) -> str:
        return f"{self.run}:{self.key}={self.value}"
