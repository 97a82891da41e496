"""JSONL files that grow while work goes on: appended and flushed record by record, read again after a crash at any byte."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from mipha_eval.core.atomic import errors_naming
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import open_text
from mipha_eval.core.json_line import to_json
from mipha_eval.core.json_value import Json
from mipha_eval.store.rows import RowDecoder

Row = TypeVar("Row")

logger = logging.getLogger(__name__)


class Appender:
    """Appends records to a JSONL file, flushed; drops a torn last line that a killed run left."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with errors_naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _drop_torn_line(path)
            self._file = path.open("a", encoding="utf-8")

    def append(self, records: Iterable[Mapping[str, Json]]) -> None:
        with errors_naming(self._path):
            self._file.writelines(to_json(record) + "\n" for record in records)
            self._file.flush()

    def __enter__(self) -> Appender:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError) if error else errors_naming(self._path):
            there = self._path.exists() and os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
            self._file.close()
            if not there and not error:
                raise UserError(f"{self._path} was removed or replaced while it was written; the same command asks again")


def read_stored(path: Path, rows: RowDecoder[Row]) -> Iterator[Row]:
    """Yields the records of an appended JSONL file.

    A torn last line is left out, and so, with a warning, is a damaged one.
    """
    if not path.exists():
        return
    with open_text(path, escapes=True) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith("\n"):
                continue
            try:
                row = rows.decode(line, f"{path}:{number}")
            except UserError:
                logger.warning("%s:%d is damaged and left out; it will be asked again", path, number)
            else:
                yield row


def _drop_torn_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - 65536)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                file.truncate(start + newline + 1)
                return
            end = start
        file.truncate(0)
