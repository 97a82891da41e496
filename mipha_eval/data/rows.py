"""Rows of a benchmark's files with their places, so that whatever is wrong with one is said with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mipha_eval.core.errors import RowError
from mipha_eval.data.jsonl import read_lines

WRONG = "is not in the expected form"


@contextmanager
def row_at(place: str) -> Iterator[None]:
    """Turns what a row of another form leads to into a RowError that names its place."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise RowError(f"{place} {WRONG}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error}"
    return str(error) if type(error) is ValueError else repr(error)


def text_of(row: Mapping[str, Any], name: str) -> str:
    """A row's text. Raises KeyError without it, ValueError for anything else in its place."""
    value = row[name]
    if not isinstance(value, str):
        raise ValueError(f"its {name} {value!r} is no text")
    return value


def entries(path: Path, listed: Any) -> Iterator[tuple[str, Any]]:
    """The entries of a JSON list with their places, counted from 1. Raises RowError if it is no list."""
    if not isinstance(listed, list):
        raise RowError(f"{path} {WRONG}: there is no list of entries")
    yield from ((f"{path}: entry {number}", entry) for number, entry in enumerate(listed, start=1))


def named_entries(path: Path, stored: Any) -> Iterator[tuple[str, tuple[str, Any]]]:
    """The (name, entry) pairs of a JSON object with their places. Raises RowError if it is no object."""
    if not isinstance(stored, dict):
        raise RowError(f"{path} {WRONG}: there is no object with entries by their names")
    yield from ((f"{path}: entry {name}", (name, entry)) for name, entry in stored.items())


def tab_separated(path: Path, *names: str, more: bool = False, escapes: bool = False) -> Iterator[tuple[str, list[str]]]:
    """The fields of a text file's lines, which have neither quotes nor a head, with their places.

    Args:
        names: of the fields.
        more: whether there may be further fields, which are left out.
        escapes: see `open_text`.

    Raises:
        RowError: a line has too few fields, or too many.
    """
    for number, line in enumerate(read_lines(path, escapes=escapes), start=1):
        place, fields = f"{path}:{number}", line.split("\t")
        if len(fields) != len(names) and not (more and len(fields) > len(names)):
            found = f"{len(fields)} tab-separated fields; {', '.join(names)} are {len(names)}"
            raise RowError(f"{place} {WRONG}: it has {found}")
        yield place, fields[: len(names)]
