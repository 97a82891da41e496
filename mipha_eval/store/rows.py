"""Lines of JSON as records: decoded at once where they are as this version writes them, else looked at field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Generic, TypeVar

import msgspec

from mipha_eval.core.files import open_text, parse_object
from mipha_eval.core.record import checked
from mipha_eval.store.migrations import renamed

Row = TypeVar("Row")

#: what mends a damaged file of a task
AGAIN = "the same run writes it anew"
AS_BEFORE: Mapping[str, str] = MappingProxyType({})


class RowDecoder(Generic[Row]):
    """Reads lines as records of one kind.

    Args:
        before: names of fields that earlier formats had -> their names of today.
    """

    def __init__(self, kind: type[Row], before: Mapping[str, str] = AS_BEFORE) -> None:
        self._kind, self._before = kind, before
        self._decoder = msgspec.json.Decoder(kind)
        self._marks = tuple(f'"{name}":' for name in before)

    def decode(self, line: str, place: str, hint: str = "") -> Row:
        """Raises UserError that begins with `place`."""
        if not self.is_of_before(line):
            try:
                return self._decoder.decode(line)
            except (ValueError, RecursionError):  # lone surrogates, which models write; numbers beyond a type; damage
                pass
        return checked(self._kind, renamed(parse_object(line, place), self._before), place, hint)

    def is_of_before(self, line: str) -> bool:
        """Whether a line may have a field of an earlier format; within a text the mark would have a backslash."""
        return any(mark in line for mark in self._marks)

    def read(self, path: Path, hint: str = "") -> Iterator[Row]:
        """The records of a file, blank lines left out. Raises UserError, with the line, for one that is damaged."""
        with open_text(path) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield self.decode(line, f"{path}:{number}", hint)
