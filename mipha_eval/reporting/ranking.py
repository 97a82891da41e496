"""Best and second of each group and column, with all that cannot be told from the best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

from mipha_eval.reporting.table import Cell, Column, Group, Row

#: places of the best of several measured cells and of those that do not differ from it significantly; None without a test
Tied = Callable[[Sequence[Cell], Column], frozenset[int] | None]
Kind = TypeVar("Kind", bound=Hashable)


def ranked(groups: Sequence[Group], columns: Sequence[Column], tied: Tied) -> tuple[Group, ...]:
    """The groups with places in their cells. Cells of another judge, tool or version than most are taken out and say so."""
    rows = [row for group in groups for row in group.rows]
    for place in range(len(columns)):
        rows = _of_one_kind(rows, place)
    found, start = [], 0
    for group in groups:
        own = rows[start : start + len(group.rows)]
        start += len(group.rows)
        for place, column in enumerate(columns):
            own = _placed(own, place, column, tied)
        found.append(replace(group, rows=tuple(own)))
    return tuple(found)


def _of_one_kind(rows: Sequence[Row], place: int) -> list[Row]:
    """Two judges, tools or versions of a task are never ranked together: the most frequent is, measured cells first."""
    cells = [cell for row in rows if (cell := row.cells[place]) is not None and cell.ranked]
    measured = [cell for cell in cells if not cell.quoted]
    made = _most_frequent([(cell.judge, cell.tool) for cell in measured or cells])
    version = _most_frequent([cell.version for cell in measured if (cell.judge, cell.tool) == made])
    return [_in_kind(row, place, made or ("", ""), version) for row in rows]


def _in_kind(row: Row, place: int, made: tuple[str, str], version: int | None) -> Row:
    cell = row.cells[place]
    if cell is None or not cell.ranked:
        return row
    judge, tool = made
    remarks = [] if cell.judge == judge else [f"judged by {cell.judge or 'an unnamed judge'}"]
    remarks += [] if cell.tool == tool else [cell.tool or f"not known to be {tool}"]
    remarks += [] if cell.version in (version, None) else [f"version {cell.version} of the task"]
    return _with_cell(row, place, replace(cell, ranked=False, remarks=(*remarks, *cell.remarks))) if remarks else row


def _most_frequent(values: Sequence[Kind]) -> Kind | None:
    return Counter(values).most_common(1)[0][0] if values else None


def _placed(rows: Sequence[Row], place: int, column: Column, tied: Tied) -> list[Row]:
    cells = {number: cell for number, row in enumerate(rows) if (cell := row.cells[place]) is not None and cell.ranked}
    if len(cells) < 2:
        return list(rows)
    best = _best_of(cells, column, tied)
    rest = {number: cell for number, cell in cells.items() if number not in best}
    second = _alike(rest, column) if rest else set()
    found = list(rows)
    for number, cell in cells.items():
        if number in best:
            found[number] = _with_cell(rows[number], place, replace(cell, place="best", tied=len(best) > 1))
        elif number in second:
            found[number] = _with_cell(rows[number], place, replace(cell, place="second", tied=len(second) > 1))
    return found


def _best_of(cells: dict[int, Cell], column: Column, tied: Tied) -> set[int]:
    """Those that print like the best; if one of them was measured, also those that no test tells from the best measured."""
    best = _alike(cells, column)
    measured = [number for number, cell in cells.items() if not cell.quoted]
    if len(measured) > 1 and best.intersection(measured):
        best |= {measured[number] for number in tied([cells[number] for number in measured], column) or ()}
    return best


def _alike(cells: dict[int, Cell], column: Column) -> set[int]:
    """The best and those that print like it."""
    sign = 1 if column.better == "higher" else -1
    top = max(cells.values(), key=lambda cell: sign * (cell.value or 0.0))
    return {number for number, cell in cells.items() if _print_alike(cell, top)}


def _print_alike(first: Cell, second: Cell) -> bool:
    decimals = min(first.decimals, second.decimals)
    return f"{first.value:.{decimals}f}" == f"{second.value:.{decimals}f}"


def _with_cell(row: Row, place: int, cell: Cell) -> Row:
    return replace(row, cells=(*row.cells[:place], cell, *row.cells[place + 1 :]))
