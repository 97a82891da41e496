"""JSON-lines files, read with errors that name file and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mipha_eval.errors import UserError
from mipha_eval.files import parse_object, read_json, text_lines, why

__all__ = ["read_json", "read_jsonl", "read_lines"]


def read_lines(path: Path) -> Iterator[str]:
    """Yields the lines of a text file without their ends; bytes that are not UTF-8 become lone surrogates.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        for line in text_lines(path):
            yield line.removesuffix("\n")
    except OSError as error:
        raise UserError(f"cannot read {path}: {why(error)}") from error


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Yields one object a line, blank lines left out.

    Raises:
        UserError: the file cannot be read, or a line is not a JSON object.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            yield parse_object(line, f"{path}:{number}")
