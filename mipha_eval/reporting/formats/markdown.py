"""Tables in Markdown as GitHub shows it."""

from __future__ import annotations

import re

from mipha_eval.reporting.notes import Footnotes
from mipha_eval.reporting.table import Cell, Row, Table
from mipha_eval.reporting.visible import visible

#: what begins emphasis, code, links, cells, tags, entities or strikethrough
SPECIAL = re.compile(r"([\\`*_\[\]|~])")
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(table: Table) -> str:
    """The table with its notes as Markdown."""
    notes = Footnotes(table)
    headings = ["Method", *(field.heading for field in table.fields), *(column.heading for column in table.columns)]
    words = 1 + len(table.fields)
    lines = [_line([escaped(heading) for heading in headings])]
    lines.append(_line(["---"] * words + ["---:"] * len(table.columns)))
    for group in table.groups:
        if group.title:
            lines.append(_line([f"*{escaped(group.title)}*", *[""] * (len(headings) - 1)]))
        lines += [_row(table, row, notes) for row in group.rows]
    under = [f"<sup>{letter}</sup> {escaped(remark)}" for remark, letter in notes.letters.items()]
    under += [escaped(note, longest=len(note)) for note in table.notes]
    return "\n".join([f"**{escaped(table.title)}**", "", *lines, "", *(f"{text}  " for text in under), ""])


def escaped(text: str, longest: int = 200) -> str:
    """Text that Markdown shows as it is."""
    return SPECIAL.sub(r"\\\1", visible(text, longest)).translate(ENTITIES)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(table: Table, row: Row, notes: Footnotes) -> str:
    name = escaped(row.name) + _raised(notes.of_row(row))
    fields = [escaped(row.fields.get(field.key, "–")) for field in table.fields]
    return _line([name, *fields, *(_cell(table, cell, notes) for cell in row.cells)])


def _cell(table: Table, cell: Cell | None, notes: Footnotes) -> str:
    if cell is None:
        return "–"
    text = f"*{cell.text}*" if cell.grey else cell.text
    text = {"best": f"**{cell.text}**", "second": f"<ins>{cell.text}</ins>"}.get(cell.place, text)
    below = f"<sub>{cell.interval_text}</sub>" if table.intervals and cell.interval else ""
    return text + below + _raised(notes.of_cell(cell))


def _raised(text: str) -> str:
    return f"<sup>{text}</sup>" if text else ""
