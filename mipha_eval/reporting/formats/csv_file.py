"""Tables as CSV: a line a cell, with all that the cell knows."""

from __future__ import annotations

import csv
import io

from mipha_eval.reporting.formats.json_file import CELL
from mipha_eval.reporting.table import Table
from mipha_eval.reporting.visible import visible

FORMULA = ("=", "+", "-", "@")  # what a spreadsheet would run


def render(table: Table) -> str:
    """A line for every cell; numbers are not rounded. Intervals are always there."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fields = [field.key for field in table.fields]
    writer.writerow(["group", "method", "published", *fields, "column", *CELL])
    for group in table.groups:
        for row in group.rows:
            words = [group.title, row.name, "yes" if row.quoted else "no", *(row.fields.get(key, "") for key in fields)]
            for column, cell in zip(table.columns, row.cells, strict=True):
                if cell is not None:
                    known = (get(cell) for get in CELL.values())
                    writer.writerow([*map(_value, words), _value(column.heading), *map(_value, known)])
    return text.getvalue()


def _value(value: object) -> object:
    """A number as it is; texts as spreadsheets show but do not run them."""
    if value is None or isinstance(value, bool | int | float):
        return value
    shown = visible("; ".join(map(visible, value)) if isinstance(value, list) else value, 1000)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
