"""Rows as a spreadsheet: what it cannot hold, and its bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO

LONGEST_CELL = 32_767  # characters that a cell of a sheet can hold


def unfit_row(rows: Sequence[Mapping[str, object]]) -> int | None:
    """The number, from 1, of the first row with a text that a sheet cannot hold: too long, or with control characters."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    for number, row in enumerate(rows, start=1):
        texts = [value for value in row.values() if isinstance(value, str)]
        if any(len(text) > LONGEST_CELL or ILLEGAL_CHARACTERS_RE.search(text) for text in texts):
            return number
    return None


def sheet_bytes(rows: Sequence[Mapping[str, object]]) -> bytes:
    """An xlsx file with one sheet, whose columns are those of the first row; every text is a text and no formula."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append(list(rows[0]))
    for row in rows:
        cells = []
        for value in row.values():
            cell = WriteOnlyCell(sheet, value)
            if isinstance(value, str):
                cell.data_type = "s"  # "=1+1" is an answer, no formula
            cells.append(cell)
        sheet.append(cells)
    file = BytesIO()
    book.save(file)
    return file.getvalue()
