"""JSON-lines files, read with errors that name file and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mipha_eval.core.files import open_text, parse_object
from mipha_eval.core.json_value import JsonObject


def read_lines(path: Path, *, escapes: bool = False) -> Iterator[str]:
    """Yields the lines of a text file without their ends.

    Lines end as Python's file objects see it, not at form feeds or the like, which answers may hold.

    Args:
        escapes: see `open_text`.

    Raises:
        UserError: the file cannot be read.
    """
    with open_text(path, escapes=escapes) as lines:
        for line in lines:
            yield line.removesuffix("\n")


def read_jsonl(path: Path, *, escapes: bool = False) -> Iterator[JsonObject]:
    """Yields one object a line, blank lines left out.

    Raises:
        UserError: the file cannot be read, or a line is not a JSON object.
    """
    return (row for _, row in placed_jsonl(path, escapes=escapes))


def placed_jsonl(path: Path, *, escapes: bool = False) -> Iterator[tuple[str, JsonObject]]:
    """As `read_jsonl`, with each row's place, ``FILE:LINE``."""
    for number, line in enumerate(read_lines(path, escapes=escapes), start=1):
        if line.strip():
            place = f"{path}:{number}"
            yield place, parse_object(line, place)


def begins_with(path: Path, letters: str) -> bool:
    """Whether the first letter of a text file that is no white space is one of these."""
    first = next((line.strip() for line in read_lines(path, escapes=True) if line.strip()), "")
    return first[:1] in tuple(letters)
