"""Tab-separated tables as pandas would read them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mipha_eval.errors import UserError

#: cells that pandas takes for missing by default, as of pandas 3.1
MISSING = {""}.union(
    ["#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"],
    ["1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"],
)


def read_table(path: Path) -> Iterator[dict[str, str | None]]:
    """Yields a row of a TSV as column -> cell; None where pandas would say missing. Cells may span lines in quotes."""
    csv.field_size_limit(sys.maxsize)  # a cell may hold a picture
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                yield as_cells(row)
    except (OSError, csv.Error) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def as_cells(row: Mapping[str, Any]) -> dict[str, str | None]:
    """Any row's values as texts; None where pandas would say missing."""
    return {column: None if cell is None or cell in MISSING else str(cell) for column, cell in row.items()}


def whole_number(cell: str | None) -> int:
    """A cell as a whole number, which sheets may write as 17.0. Raises ValueError for anything else."""
    number = float(cell or "nan")
    if not number.is_integer():
        raise ValueError(f"{cell!r} is no whole number")
    return int(number)


def read_sheet(path: Path) -> Iterator[dict[str, str | None]] | None:
    """Rows of a TSV, or of the first sheet of an xlsx file; None for other files.

    Raises:
        UserError: the file cannot be read.
    """
    if path.suffix == ".tsv":
        return read_table(path)
    return _read_workbook(path) if path.suffix == ".xlsx" else None


def _read_workbook(path: Path) -> Iterator[dict[str, str | None]]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        lines = load_workbook(path, read_only=True, data_only=True).worksheets[0].iter_rows(values_only=True)
        head = [str(cell) for cell in next(lines, ())]
        for line in lines:
            yield as_cells(dict(zip(head, line, strict=False)))
    except (OSError, KeyError, ValueError, BadZipFile, InvalidFileException) as error:
        raise UserError(f"cannot read {path}: {error}") from error
