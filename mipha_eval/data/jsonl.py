"""JSON and JSON-lines files, read with errors that name file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mipha_eval.errors import UserError


def read_lines(path: Path) -> Iterator[str]:
    """Yields the lines of a text file without their ends.

    Lines end as Python's file objects see it, not at form feeds or the like, which answers may hold. A byte-order mark is
    dropped; bytes that are not UTF-8 become lone surrogates.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
            for line in lines:
                yield line.removesuffix("\n")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Yields one object a line, blank lines left out.

    Raises:
        UserError: the file cannot be read, or a line is not a JSON object.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            yield _object(line, f"{path}:{number}")


def read_json(path: Path) -> Any:
    """Reads a JSON file. Raises UserError if it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig", errors="surrogateescape"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{place} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UserError(f"{place} is not a JSON object")
    return value
