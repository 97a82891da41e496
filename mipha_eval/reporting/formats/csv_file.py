"""Tables as CSV: a line a cell, with all that the cell knows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping

from mipha_eval.reporting.contrast import ContrastCell
from mipha_eval.reporting.factors import fact_of
from mipha_eval.reporting.formats.json_file import CELL
from mipha_eval.reporting.gpu_hours import GpuHours
from mipha_eval.reporting.table import NOTHING, Table
from mipha_eval.reporting.visible import visible

REMARKS = "row_remarks"
#: columns that an ablation has beside, and what a difference has there
TESTS: Mapping[str, Callable[[ContrastCell], object] | None] = {
    REMARKS: None,
    "p": lambda cell: cell.p,
    "corrected_p": lambda cell: cell.corrected_p,
    "test": lambda cell: cell.test,
}
#: columns that a table has whose rows tell of GPUs; of a row as a whole
HOURS: Mapping[str, Callable[[GpuHours], float | None]] = {
    "gpu_hours": lambda found: found.held,
    "gpu_hours_computing": lambda found: found.computing,
}
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet would run


def render(table: Table) -> str:
    """A line for every cell; numbers are not rounded. Intervals are always there.

    A row without any cell has one line if there is something to say of it. Behind the rows of an ablation stand its
    differences: ``group`` is ``difference``, ``value`` the difference.
    """
    text = io.StringIO()
    fields = [field.key for field in (*table.factors, *table.fields)]
    told = any(row.remarks for row in table.rows())
    hours = [*HOURS] if any(row.gpu_hours for row in table.rows()) else []
    tests = [*TESTS] if table.factors else [REMARKS] if told else []
    writer = csv.DictWriter(
        text, ["group", "method", "published", *fields, "column", *CELL, *tests, *hours], restval="", lineterminator="\n"
    )
    writer.writeheader()
    for line in (*_rows(table), *_differences(table)):
        writer.writerow({name: _value(value) for name, value in line.items()})
    return text.getvalue()


def _rows(table: Table) -> Iterator[dict[str, object]]:
    for group in table.groups:
        for row in group.rows:
            words = {"group": group.title, "method": row.name, "published": "yes" if row.quoted else "no"}
            fields = {factor.key: fact_of(row.fields, factor.key).text for factor in table.factors}
            fields |= {field.key: text for field in table.fields if (text := row.field_text(field)) != NOTHING}
            tests = {REMARKS: list(row.remarks)} if table.factors or row.remarks else {}
            hours = {name: get(row.gpu_hours) for name, get in HOURS.items()} if row.gpu_hours else {}
            if row.remarks and not any(row.cells):
                yield {**words, **fields, **tests, **hours}
            for column, cell in zip(table.columns, row.cells, strict=True):
                if cell is not None:
                    known = {name: get(cell) for name, get in CELL.items()}
                    yield {**words, **fields, "column": column.heading, **known, **tests, **hours}


def _differences(table: Table) -> Iterator[dict[str, object]]:
    for contrast in table.contrasts:
        words = {"group": "difference", "method": " → ".join(contrast.rows), "published": "no", **contrast.held}
        words |= {factor: " → ".join(texts) for factor, texts in contrast.levels.items()}
        for column, cell in zip(table.columns, contrast.cells, strict=True):
            if cell is not None:
                known = {"value": cell.difference, "printed": cell.text, "n": cell.n, "remarks": list(cell.remarks)}
                ends = dict(zip(("low", "high"), cell.interval, strict=True)) if cell.interval else {}
                tested = {name: get(cell) for name, get in TESTS.items() if get}
                metric = {"protocol": cell.protocol, "metric": cell.metric, REMARKS: contrast.also_text}
                yield {**words, "column": column.heading, **metric, **known, **ends, **tested}


def _value(value: object) -> object:
    """A number as it is; texts as spreadsheets show but do not run them."""
    if value is None or isinstance(value, bool | int | float):
        return value
    shown = visible("; ".join(map(visible, value)) if isinstance(value, list) else value, 1000)
    return f"'{shown}" if shown.startswith(FORMULA) and not NUMBER.fullmatch(shown) else shown
