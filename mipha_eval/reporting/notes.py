"""What stands under a table: its footnotes in order, and how it is to be read."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence

from mipha_eval.reporting.contrast import ContrastCell
from mipha_eval.reporting.significance import PairedTests
from mipha_eval.reporting.table import Cell, Row, Table
from mipha_eval.reporting.visible import visible


class Footnotes:
    """The remarks of a table's rows and cells, lettered in reading order, and the sources of its published rows, numbered.

    Attributes:
        letters: by remark; the same remark has the same letter.
        sources: number by source.
    """

    def __init__(self, table: Table) -> None:
        self.letters = {remark: _letter(number) for number, remark in enumerate(dict.fromkeys(_remarks(table)))}
        found = dict.fromkeys(source for row in table.rows() for source in _sources(row))
        self.sources = {source: number for number, source in enumerate(found, start=1)}

    def of_cell(self, cell: Cell | ContrastCell) -> str:
        """The letters of its remarks, as ``a,b``."""
        return ",".join(self.letters[remark] for remark in cell.remarks)

    def of_row(self, row: Row) -> str:
        """The sources of a published row and the letters of a row's remarks, as ``†1,2,a``; "" for neither."""
        sources = sorted(self.sources[source] for source in _sources(row))
        numbers = ["†" + ",".join(map(str, sources))] if row.quoted else []
        return ",".join([*numbers, *(self.letters[remark] for remark in row.remarks)])


def _sources(row: Row) -> Sequence[str]:
    return list(dict.fromkeys(cell.origin.source for cell in row.cells if cell is not None)) if row.quoted else []


def _remarks(table: Table) -> Iterator[str]:
    for row in table.rows():
        yield from row.remarks
        for cell in row.cells:
            if cell is not None:
                yield from cell.remarks
    for contrast in table.contrasts:
        for each in contrast.cells:
            if each is not None:
                yield from each.remarks


def _letter(number: int) -> str:
    """a to z, aa, ab, ..."""
    letters = string.ascii_lowercase
    return (_letter(number // 26 - 1) if number >= 26 else "") + letters[number % 26]


def notes_of(table: Table, tests: PairedTests) -> tuple[str, ...]:
    """Protocols, places, quoted rows and their sources, reproduced numbers, and GPU-hours."""
    cells = [cell for row in table.rows() for cell in row.cells if cell is not None]
    notes = [_protocols(table)]
    notes += [_places(cells, tests)] if any(cell.place for cell in cells) else []
    notes += [f"Not tested: {heading}, {why}." for heading, why in tests.untested.items()]
    if any(cell.grey for cell in cells):
        notes.append("Grey (in Markdown italic): another protocol or not known which; not ranked.")
    sources = Footnotes(table).sources
    if sources:
        listed = "; ".join(f"[{number}] {visible(source)}" for source, number in sources.items())
        notes.append(f"† Published by others, not measured here: {listed}.")
    notes += _disputed(table)
    notes += [_reproduced(row) for row in table.rows() if row.reproductions]
    notes += _gpu_hours(table)
    return tuple(notes)


def _protocols(table: Table) -> str:
    told = []
    for place, column in enumerate(table.columns):
        cells = [cell for row in table.rows() if (cell := row.cells[place]) is not None and cell.ranked]
        makers = {f"judged by {cell.judge}" if cell.judge else cell.tool for cell in cells}
        maker = f" {makers.pop()}" if len(makers) == 1 and any(makers) else ""
        heading = "" if column.heading == column.task else f"{column.heading} "
        told.append(f"{heading}{column.task} {column.metric}{maker}")
    return f"Protocols: {'; '.join(told)}."


def _places(cells: Sequence[Cell], tests: PairedTests) -> str:
    text = "Bold: the best of its group and column; underlined: the next."
    if tests.level is not None:
        text = (
            "Bold: the best of its group and column and what cannot be told from it by paired tests on the same questions "
            f"(all pairs, Holm's correction, {100 * tests.level:g} %); underlined: the next."
        )
    if any(cell.quoted and cell.ranked for cell in cells):
        text += " Published numbers cannot be tested: they share a place where they print alike."
    elif any(cell.quoted for cell in cells):
        text += " Published numbers are not ranked."
    return text


def _disputed(table: Table) -> list[str]:
    told = []
    for row in table.rows():
        others = [
            f"{column.heading} {', '.join(each.value for each in cell.elsewhere)}"
            for column, cell in zip(table.columns, row.cells, strict=True)
            if cell is not None and cell.elsewhere
        ]
        told += [f"{visible(row.name)} {', '.join(others)}"] if others else []
    return [f"Other sources have: {'; '.join(told)}."] if told else []


def _gpu_hours(table: Table) -> list[str]:
    told = [f"{visible(row.name)} {row.gpu_hours.text}" for row in table.rows() if row.gpu_hours]
    return [f"GPU-hours: {'; '.join(told)}."] if told else []


def _reproduced(row: Row) -> str:
    same, other = ([each for each in row.reproductions if each.equal is equal] for equal in (True, False))
    told = []
    if same:
        sources = ", ".join(dict.fromkeys(each.source for each in same))
        told.append(f"equals the published {', '.join(f'{each.column} {each.published}' for each in same)} ({sources})")
    told += [
        f"{each.column} is {each.rounded}, published {each.published} "
        f"({float(each.rounded) - float(each.published):+.{len(each.published.partition('.')[2])}f}; {each.source})"
        for each in other
    ]
    return f"{visible(row.name)}, measured here: {'; '.join(told)}."
