"""Rows of a benchmark's files with their places, so that whatever is wrong with one is said with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mipha_eval.core.errors import RowError
from mipha_eval.core.json_value import Json, JsonObject
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


def text_of(row: JsonObject, name: str) -> str:
    """A row's text. Raises KeyError without it, ValueError for anything else in its place; so do all that follow."""
    value = row[name]
    if not isinstance(value, str):
        raise ValueError(f"its {name} {value!r} is no text")
    return value


def number_of(row: JsonObject, name: str) -> float:
    """A row's number."""
    value = row[name]
    if not isinstance(value, int | float):
        raise ValueError(f"its {name} {value!r} is no number")
    return value


def whole_of(row: JsonObject, name: str) -> int:
    """A row's whole number, which may be written as a text or as 17.0."""
    value = row[name]
    if not isinstance(value, int | float | str) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(f"its {name} {value!r} is no whole number")
    return int(value)


def list_of(row: JsonObject, name: str) -> Sequence[Json]:
    """A row's list, of whatever."""
    value = row[name]
    if not isinstance(value, list | tuple):
        raise ValueError(f"its {name} {value!r} is no list")
    return value


def numbers_of(row: JsonObject, name: str) -> list[float]:
    """A row's list of numbers."""
    values = list_of(row, name)
    found = [value for value in values if isinstance(value, int | float)]
    if len(found) < len(values):
        raise ValueError(f"its {name} {values!r} are no numbers")
    return found


def texts_of(row: JsonObject, name: str) -> list[str]:
    """A row's list of texts."""
    values = list_of(row, name)
    found = [value for value in values if isinstance(value, str)]
    if len(found) < len(values):
        raise ValueError(f"its {name} {values!r} are no texts")
    return found


def object_of(row: JsonObject, name: str) -> JsonObject:
    """A row's object."""
    value = row[name]
    if not isinstance(value, Mapping):
        raise ValueError(f"its {name} {value!r} is no object")
    return value


def objects_of(row: JsonObject, name: str) -> list[JsonObject]:
    """A row's list of objects."""
    values = list_of(row, name)
    found = [value for value in values if isinstance(value, Mapping)]
    if len(found) < len(values):
        raise ValueError(f"its {name} {values!r} are no objects")
    return found


def entries(path: Path, listed: Json) -> Iterator[tuple[str, JsonObject]]:
    """The entries of a JSON list with their places, counted from 1. Raises RowError if it is no list of objects."""
    if not isinstance(listed, list):
        raise RowError(f"{path} {WRONG}: there is no list of entries")
    yield from (_object(f"{path}: entry {number}", entry) for number, entry in enumerate(listed, start=1))


def named_entries(path: Path, stored: Json) -> Iterator[tuple[str, tuple[str, JsonObject]]]:
    """The (name, entry) pairs of a JSON object of objects with their places. Raises RowError if it is none."""
    if not isinstance(stored, dict):
        raise RowError(f"{path} {WRONG}: there is no object with entries by their names")
    for name, entry in stored.items():
        place, found = _object(f"{path}: entry {name}", entry)
        yield place, (name, found)


def _object(place: str, entry: Json) -> tuple[str, JsonObject]:
    if not isinstance(entry, Mapping):
        raise RowError(f"{place} {WRONG}: it is not a JSON object")
    return place, entry


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
