"""Tables as JSON, with all that every cell knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict

from mipha_eval.core.json_value import Json
from mipha_eval.reporting.factors import fact_of
from mipha_eval.reporting.table import Cell, Row, Table

#: what a cell knows: names of JSON's keys and CSV's columns
CELL: Mapping[str, Callable[[Cell], Json]] = {
    "value": lambda cell: cell.value,
    "printed": lambda cell: cell.text,
    "low": lambda cell: cell.interval and cell.interval[0],
    "high": lambda cell: cell.interval and cell.interval[1],
    "protocol": lambda cell: cell.protocol,
    "metric": lambda cell: cell.metric,
    "judge": lambda cell: cell.judge,
    "n": lambda cell: cell.n,
    "unparsed": lambda cell: cell.unparsed,
    "failed": lambda cell: cell.failed,
    "missing": lambda cell: cell.missing,
    "ranked": lambda cell: cell.ranked,
    "place": lambda cell: cell.place,
    "tied": lambda cell: cell.tied,
    "grey": lambda cell: cell.grey,
    "remarks": lambda cell: list(cell.remarks),
    "elsewhere": lambda cell: [f"{each.value} ({', '.join(each.sources)})" for each in cell.elsewhere],
    "file": lambda cell: str(cell.origin.file),
    "at": lambda cell: cell.origin.place,
    "source": lambda cell: cell.origin.source,
}


def render(table: Table) -> str:
    """An object; intervals are always there."""
    return json.dumps(table_object(table), indent=2) + "\n"


def table_object(table: Table) -> dict[str, Json]:
    """The table as JSON's values."""
    return {
        "table": table.name,
        "title": table.title,
        "fields": [asdict(field) for field in table.fields],
        "columns": [asdict(column) for column in table.columns],
        "groups": [{"title": group.title, "rows": [_row(table, row) for row in group.rows]} for group in table.groups],
        "notes": list(table.notes),
        **(_ablation(table) if table.factors else {}),
    }


def _ablation(table: Table) -> dict[str, Json]:
    """What an ablation has beside."""
    headings = [column.heading for column in table.columns]
    return {
        "by": [factor.key for factor in table.factors],
        "differences": [
            {
                "rows": list(contrast.rows),
                "levels": {factor: list(texts) for factor, texts in contrast.levels.items()},
                "held": dict(contrast.held),
                "also": {name: list(texts) for name, texts in contrast.also.items()},
                "cells": {
                    heading: None if cell is None else {**asdict(cell), "printed": cell.text}
                    for heading, cell in zip(headings, contrast.cells, strict=True)
                },
            }
            for contrast in table.contrasts
        ],
    }


def _row(table: Table, row: Row) -> dict[str, Json]:
    cells = {column.heading: _cell(cell) for column, cell in zip(table.columns, row.cells, strict=True)}
    return {
        "method": row.name,
        "published": row.quoted,
        "parameters": row.parameters,
        "fields": dict(row.fields),
        "cells": cells,
        "published_as": row.published_as,
        "reproductions": [{**asdict(each), "equal": each.equal} for each in row.reproductions],
        **(_levels(table, row) if table.factors else {}),
        **({"remarks": list(row.remarks)} if table.factors or row.remarks else {}),
        **({"gpu_hours": asdict(row.gpu_hours)} if row.gpu_hours else {}),
    }


def _levels(table: Table, row: Row) -> dict[str, Json]:
    """A row's levels; None for what is not known."""
    facts = {factor.key: fact_of(row.fields, factor.key) for factor in table.factors}
    levels = {key: fact.text if fact.known else None for key, fact in facts.items()}
    return {"levels": levels}


def _cell(cell: Cell | None) -> Json:
    return None if cell is None else {key: get(cell) for key, get in CELL.items()}
