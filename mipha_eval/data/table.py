"""Tables, as tab-separated or comma-separated text or as sheets, as pandas would read them.

Not by pandas itself: it does not say in which line of a file a row stands, takes 0.4 s to import, and needs memory for the
whole table (1.2 GB for one of 300 MB with pictures; a row at a time needs 24 MB and half the time).
"""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mipha_eval.core.errors import RowError, UserError
from mipha_eval.core.files import open_regular, open_text
from mipha_eval.data.jsonl import begins_with
from mipha_eval.data.rows import WRONG, row_at

#: cells that pandas takes for missing by default, as of pandas 3.1
MISSING = {""}.union(
    ["#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"],
    ["1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"],
)

#: how a zip begins, which a sheet is
ZIP = b"PK\x03\x04"
#: how names of tables end
ENDINGS = (".tsv", ".csv", ".xlsx")

Cells = dict[str, str | None]


def read_table(path: Path, *needed: str) -> Iterator[Cells]:
    """Yields a row of a table as column -> cell; None where pandas would say missing. See `placed_table`."""
    return (cells for _, cells in placed_table(path, *needed))


def placed_table(path: Path, *needed: str) -> Iterator[tuple[str, Cells]]:
    """Yields (place, row) pairs of a table, see `raw_table`; None where pandas would say missing."""
    return ((place, as_cells(row)) for place, row in raw_table(path, *needed))


def raw_table(path: Path, *needed: str, strict: bool = False) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yields (place, row) pairs of an xlsx file's first sheet or of a text table, whose cells may span lines in quotes.

    Args:
        strict: leave out rows without any text, and refuse rows that are too short and quotes that do not close, which
            pandas takes as they come.

    Raises:
        UserError: the file cannot be read, or has none of a column that is `needed`.
    """
    lines = _sheet_lines(path) if is_sheet(path) else _text_lines(path, strict=strict)
    _, head = next(lines, ("", ()))
    columns = [str(cell) for cell in head]
    lacking = [name for name in needed if name not in columns]
    if lacking:
        raise RowError(
            f"{path} has no column {lacking[0]!r}; {'it has ' + ', '.join(columns) if columns else 'it is empty'}"
        )
    twice = next((name for name in columns if name and columns.count(name) > 1), None)
    if strict and twice is not None:
        raise RowError(f"{path} has two columns {twice!r}")
    for place, line in lines:
        if strict and all(cell in (None, "") for cell in line):
            continue
        if strict and len(line) < len(columns) and not is_sheet(path):  # sheets leave out empty cells at an end
            raise RowError(f"{place} {WRONG}: it has {len(line)} cells, the table {len(columns)} columns")
        if any(cell not in (None, "") for cell in line[len(columns) :]):
            raise RowError(f"{place} {WRONG}: it has {len(line)} cells, the table {len(columns)} columns")
        yield place, dict(itertools.zip_longest(columns, line[: len(columns)]))


def indexed_rows(path: Path, *needed: str) -> list[tuple[int, Cells]]:
    """(index, row) pairs of a table with a column ``index``, see `placed_table`."""
    found = []
    for place, cells in placed_table(path, "index", *needed):
        with row_at(place):
            found.append((whole_number(cells["index"]), cells))
    return found


def as_cells(row: Mapping[str, object]) -> Cells:
    """Any row's values as texts; None where pandas would say missing."""
    return {column: None if cell is None or cell in MISSING else str(cell) for column, cell in row.items()}


def whole_number(cell: str | None) -> int:
    """A cell as a whole number, which sheets may write as 17.0. Raises ValueError for anything else."""
    number = float(cell or "nan")
    if not number.is_integer():
        raise ValueError(f"{cell!r} is no whole number")
    return int(number)


def is_sheet(path: Path) -> bool:
    """Whether a file is called a sheet, or is one by its first bytes."""
    if path.suffix.lower() == ".xlsx":
        return True
    try:
        with open_regular(path) as file:
            return file.read(len(ZIP)) == ZIP
    except OSError:
        return False


def is_table(path: Path) -> bool:
    """Whether a file is a table: its ending says so, or says neither that nor JSON and it does not begin like JSON."""
    ending = path.suffix.lower()
    if ending in ENDINGS:
        return True
    return path.is_file() and ending not in (".json", ".jsonl") and not begins_with(path, "{[")


def table_names(stems: Iterable[str]) -> list[str]:
    """The names that tables may have, tab-separated ones first."""
    known = list(stems)
    return [stem + ending for ending in ENDINGS for stem in known]


def _text_lines(path: Path, *, strict: bool) -> Iterator[tuple[str, Sequence[str]]]:
    csv.field_size_limit(sys.maxsize)  # a cell may hold a picture
    try:
        with open_text(path, newline="") as file:
            head = next(file, "")
            cells = csv.reader(itertools.chain([head], file), delimiter=_delimiter(head), strict=strict)
            begins = 1
            for line in cells:
                begins, place = cells.line_num + 1, begins if strict else cells.line_num
                if line:
                    yield f"{path}:{place}", line
    except csv.Error as error:
        if strict and "unexpected end" in str(error):
            raise RowError(f"{path}:{begins} {WRONG}: it has a quote that does not close") from error
        raise UserError(f"cannot read {path}: {error}") from error


def _delimiter(head: str) -> str:
    """What separates a table's columns: a tab if there is one in the head, else what makes more columns of it."""
    return "\t" if "\t" in head else max(",;", key=lambda mark: len(next(csv.reader([head], delimiter=mark), ())))


def _sheet_lines(path: Path) -> Iterator[tuple[str, Sequence[object]]]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with open_regular(path) as file:
            lines = load_workbook(file, read_only=True, data_only=True).worksheets[0].iter_rows(values_only=True)
            yield from ((f"{path}: row {number}", line) for number, line in enumerate(lines, start=1))
    except (OSError, KeyError, ValueError, BadZipFile, InvalidFileException) as error:
        raise UserError(f"cannot read {path}: {error}") from error
