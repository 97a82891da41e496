"""Files from outside: opened, decoded and parsed in one way, with errors that name file and line.

Whatever somebody else wrote may be no regular file, without end, cut short, nested without measure, or hold numbers that no
number type holds. What passes here is finite, and text is text.
"""

from __future__ import annotations

import functools
import io
import json
import math
import os
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO

from mipha_eval.core.compressed import plain
from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json

#: bytes of a file that is read as a whole; the largest benchmark file, VQAv2's annotations, has 0.4 GB
MOST_BYTES = 4 << 30
#: bytes of a picture as it is stored
MOST_PICTURE_BYTES = 512 << 20
#: what a first look at a file reads: longer than any byte-order mark
HEAD = 4
#: digits of a number; no float has more than 309 before its point
MOST_DIGITS = 309


def open_regular(path: Path, most: int = MOST_BYTES) -> IO[bytes]:
    """Opens a file for reading, if it is a regular one and has no more than `most` bytes.

    A pipe or a device could be read for ever, and opening one may already wait; so it is opened without waiting.

    Raises:
        OSError: it cannot be opened, is no regular file, or is too large.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise OSError("it is a folder")
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is no regular file but a pipe or a device; write it to a file first")
        if status.st_size > most:
            raise OSError(f"it has {status.st_size:,} bytes, more than {most:,}")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a regular file. Raises OSError as `open_regular` does."""
    with open_regular(path, most) as file:
        return file.read()


def why(error: OSError) -> str:
    """The reason in an OSError, without number and path."""
    return error.strerror or str(error)


@contextmanager
def open_text(path: Path, *, escapes: bool = False, newline: str | None = None) -> Iterator[TextIO]:
    """Opens a text file in UTF-8, UTF-16 or UTF-32 as its byte-order mark or, without one, its first zero bytes tell.

    One that was compressed with gzip or Zstandard is read as what it holds.

    Args:
        escapes: bytes that are not of the encoding become lone surrogates instead of an error. For answer files alone, which
            may hold what a model wrote: of a benchmark's file they would come into prompts.
        newline: as of `open`.

    Raises:
        UserError: the file cannot be read, or has bytes that are not of its encoding; names the first line that has.
    """
    errors = "surrogateescape" if escapes else "strict"
    try:
        with open_regular(path) as stored, plain(stored, MOST_BYTES) as file:
            encoding = json.detect_encoding(_head(file))
            encoding = "utf-8-sig" if encoding == "utf-8" else encoding
            with io.TextIOWrapper(file, encoding=encoding, errors=errors, newline=newline) as text:
                yield text
    except UnicodeDecodeError as error:
        raise UserError(_undecodable(path, error)) from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {why(error)}") from error


def _head(file: IO[bytes]) -> bytes:
    """The first bytes, which stay to be read."""
    if isinstance(file, io.BufferedReader):
        return file.peek(HEAD)[:HEAD]
    head = file.read(HEAD)
    file.seek(0)
    return head


def _undecodable(path: Path, error: UnicodeDecodeError) -> str:
    """The first line with bytes that are no UTF-8; files in UTF-16 have no such lines."""
    with open_regular(path) as stored, plain(stored, MOST_BYTES) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as wrong:
                byte = f"byte 0x{line[wrong.start]:02X} at column {wrong.start + 1}"
                return f"{path}:{number} is not UTF-8 ({byte}); save the file as UTF-8 to say what its letters are"
    return f"cannot read {path}: it begins like {error.encoding}, but is not ({error.reason}); save it as UTF-8"


def read_json(path: Path, hint: str = "", *, escapes: bool = False) -> Json:
    """Parses a JSON file.

    Args:
        hint: ends the message of an error.
        escapes: see `open_text`.

    Raises:
        UserError: it cannot be read or parsed.
    """
    try:
        with open_text(path, escapes=escapes) as file:
            return parse_json(file.read())
    except ValueError as error:
        raise UserError(f"cannot read {path}: it is not JSON: {error}{_and(hint)}") from error
    except UserError as error:
        raise UserError(f"{error}{_and(hint)}") from error


def read_object(path: Path, hint: str = "") -> dict[str, Json]:
    """Parses a JSON file that holds an object. Raises UserError if it cannot be read or holds something else."""
    value = read_json(path, hint)
    if not isinstance(value, dict):
        raise UserError(f"{path} is damaged: it is no JSON object{_and(hint)}")
    return value


def parse_json(text: str) -> Json:
    """Parses JSON. Raises ValueError for what is none, too deep, or holds a number beyond all types."""
    try:
        value: Json = _decoder().decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def parse_object(text: str, place: str) -> dict[str, Json]:
    """Parses a JSON object. Raises UserError that begins with `place`."""
    try:
        value = parse_json(text)
    except ValueError as error:
        raise UserError(f"{place} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UserError(f"{place} is not a JSON object")
    return value


def read_toml(path: Path) -> dict[str, object]:
    """Parses a TOML file. Raises UserError, naming the file, if it cannot be read."""
    try:
        with open_text(path) as file:
            return tomllib.loads(file.read())
    except RecursionError as error:
        raise UserError(f"cannot read {path}: it is nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, too, and numbers of thousands of digits
        raise UserError(f"cannot read {path}: {error}") from error


@functools.cache
def _decoder() -> json.JSONDecoder:
    """One for all lines: `json.loads` would make another for each."""
    return json.JSONDecoder(parse_int=_whole, parse_float=_fraction)


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def _fraction(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"the number {digits[:20]} is too large")
    return value


def _and(hint: str) -> str:
    return f"; {hint}" if hint else ""
