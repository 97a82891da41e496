"""Text files from outside: in what encoding they are, and which line is not in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from mipha_eval.errors import UserError

#: what a first look at a file reads: longer than any byte-order mark
HEAD = 4


@contextmanager
def open_text(path: Path, *, escapes: bool = False, newline: str | None = None) -> Iterator[TextIO]:
    """Opens a text file in UTF-8, UTF-16 or UTF-32 as its byte-order mark or, without one, its first zero bytes tell.

    Args:
        escapes: bytes that are not of the encoding become lone surrogates instead of an error. For answer files alone, which
            may hold what a model wrote: of a benchmark's file they would come into prompts.
        newline: as of `open`.

    Raises:
        UserError: the file cannot be read, or has bytes that are not of its encoding; names the first line that has.
    """
    try:
        with path.open("rb") as file:
            encoding = json.detect_encoding(file.read(HEAD))
        encoding = "utf-8-sig" if encoding == "utf-8" else encoding
        with path.open(encoding=encoding, errors="surrogateescape" if escapes else "strict", newline=newline) as text:
            yield text
    except UnicodeDecodeError as error:
        raise UserError(_undecodable(path, error)) from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def _undecodable(path: Path, error: UnicodeDecodeError) -> str:
    """The first line with bytes that are no UTF-8; files in UTF-16 have no such lines."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as wrong:
                byte = f"byte 0x{line[wrong.start]:02X} at column {wrong.start + 1}"
                return f"{path}:{number} is not UTF-8 ({byte}); save the file as UTF-8 to say what its letters are"
    return f"cannot read {path}: it begins like {error.encoding}, but is not ({error.reason}); save it as UTF-8"
