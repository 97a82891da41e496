"""A file or folder of answers, looked at once: what kind of thing it holds, whatever its name says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import open_regular, parse_json, read_json, why
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.data.jsonl import placed_jsonl, read_lines
from mipha_eval.data.rows import entries
from mipha_eval.data.table import raw_table

ZIP = b"PK\x03\x04"
SHEET = "xl/workbook.xml"
#: protocols of Python's pickles from 2 on begin so
PICKLE = b"\x80"
PICKLES = b"\x02\x03\x04\x05"
HEAD = 4


@dataclass(frozen=True)
class StoredFile:
    """One file. What it holds is read when it is first asked for, and kept."""

    path: Path

    @cached_property
    def head(self) -> bytes:
        """Its first bytes. Raises UserError if it cannot be read."""
        try:
            with open_regular(self.path) as file:
                return file.read(HEAD)
        except OSError as error:
            raise UserError(f"cannot read {self.path}: {why(error)}") from error

    @cached_property
    def members(self) -> frozenset[str]:
        """The names in a zip; empty if it is none."""
        from zipfile import BadZipFile, ZipFile

        if self.head != ZIP:
            return frozenset()
        try:
            with open_regular(self.path) as file, ZipFile(file) as archive:
                return frozenset(archive.namelist())
        except (OSError, BadZipFile) as error:
            raise UserError(f"cannot read {self.path}: {error}") from error

    @property
    def is_sheet(self) -> bool:
        return SHEET in self.members

    @property
    def is_pickle(self) -> bool:
        return self.head[:1] == PICKLE and self.head[1:2] in [bytes([each]) for each in PICKLES]

    @cached_property
    def first_line(self) -> str:
        """The first line of a text that is not blank, without white space around."""
        if self.members or self.is_pickle:
            return ""
        return next((line.strip() for line in read_lines(self.path, escapes=True) if line.strip()), "")

    @property
    def is_readable(self) -> bool:
        """Whether it is a text, a zip or a pickle at all."""
        try:
            return bool(self.members or self.is_pickle or self.first_line)
        except UserError:
            return False

    @property
    def is_text_table(self) -> bool:
        """Whether it begins with the names of columns, a prediction among them."""
        return self.first_line[:1] not in ("", "{", "[") and "prediction" in self.first_line

    @cached_property
    def first(self) -> JsonObject:
        """The first object of JSON lines, which is the whole where the file is one object on a line; else empty."""
        if not self.first_line.startswith("{"):
            return {}
        try:
            value = parse_json(self.first_line)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @cached_property
    def whole(self) -> Json:
        """What a JSON file holds; None if it is not one JSON value, but lines or something else."""
        if self.first_line[:1] not in ("{", "["):
            return None
        if self.first and self._has_more_lines():
            return None
        try:
            return read_json(self.path, escapes=True)
        except UserError:
            if self.first_line[:1] == "[":
                raise
            return None

    def _has_more_lines(self) -> bool:
        lines = (line for line in read_lines(self.path, escapes=True) if line.strip())
        return next(lines, None) is not None and next(lines, None) is not None

    @cached_property
    def listed(self) -> list[tuple[str, JsonObject]]:
        """The objects of a JSON list with their places; empty if it is none."""
        if self.first_line[:1] != "[" or not isinstance(self.whole, list):
            return []
        if not all(isinstance(entry, dict) for entry in self.whole):
            return []
        return list(entries(self.path, self.whole))

    @property
    def sample(self) -> JsonObject:
        """One of its rows, to tell the form by: the first of its lines or of its list."""
        return self.listed[0][1] if self.listed else self.first

    def rows(self) -> Iterator[tuple[str, JsonObject]]:
        """Rows with their places, of lines or of a list. Raises UserError for a line that is no object."""
        if self.first_line[:1] == "[":
            yield from self.listed
        else:
            yield from placed_jsonl(self.path, escapes=True)

    @cached_property
    def table(self) -> list[tuple[str, dict[str, object]]]:
        """The rows of a table with their places, cells as they are stored; empty if it is none."""
        if not (self.is_sheet or self.is_text_table):
            return []
        return [(place, dict(row)) for place, row in raw_table(self.path)]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.table[0][1]) if self.table else ()
