"""Writing files so that they are there complete or not at all, by one process at a time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_line import to_json


@contextlib.contextmanager
def errors_naming(path: Path) -> Iterator[None]:
    """Turns an OSError (disk full, no permission) into a UserError with the path."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; what was stored before is kept") from error


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes from writing the same results while entered. Raises UserError if one is at it."""
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:  # an OSError, too
        raise UserError(f"another process is writing {path}; wait for it, or give another output") from error
    except OSError as error:
        raise UserError(f"cannot write beside {path}: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def write_lines(path: Path, records: Iterable[Mapping[str, object]]) -> None:
    """Writes a JSONL file as a whole: it is there complete or not at all."""
    _replace(path, lambda file: file.writelines(to_json(record) + "\n" for record in records))


def write_json(path: Path, value: Mapping[str, object]) -> None:
    _replace(path, lambda file: file.write(json.dumps(value, indent=2) + "\n"))


def write_text(path: Path, text: str) -> None:
    _replace(path, lambda file: file.write(text))


def _replace(path: Path, write: Callable[[TextIO], object]) -> None:
    temporary = path.with_name(path.name + ".new")
    with errors_naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("w", encoding="utf-8") as file:
                write(file)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
