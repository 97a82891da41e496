"""Tables in Markdown as GitHub shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mipha_eval.reporting.contrast import Contrast, ContrastCell, contrast_words
from mipha_eval.reporting.notes import Footnotes
from mipha_eval.reporting.table import Cell, Row, Table
from mipha_eval.reporting.visible import visible

#: what begins emphasis, code, links, cells, tags, entities or strikethrough
SPECIAL = re.compile(r"([\\`*_\[\]|~])")
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(table: Table) -> str:
    """The table with its notes as Markdown."""
    notes = Footnotes(table)
    words = [*(factor.heading for factor in table.factors), "Method", *(field.heading for field in table.fields)]
    lines, levels = _head(table, words), table.levels()
    for group in table.groups:
        if group.title:
            lines.append(_line([f"*{escaped(group.title)}*", *[""] * (len(words) - 1 + len(table.columns))]))
        lines += [_line([*map(escaped, next(levels)), *_row(table, row, notes)]) for row in group.rows]
    if table.contrasts:
        told, texts = contrast_words(table.contrasts)
        lines += ["", *_head(table, told)]
        lines += [_contrast(table, *each, notes) for each in zip(texts, table.contrasts, strict=True)]
    under = [f"<sup>{letter}</sup> {escaped(remark)}" for remark, letter in notes.letters.items()]
    under += [escaped(note, longest=len(note)) for note in table.notes]
    return "\n".join([f"**{escaped(table.title)}**", "", *lines, "", *(f"{text}  " for text in under), ""])


def _head(table: Table, words: Sequence[str]) -> list[str]:
    headings = [*words, *(column.heading for column in table.columns)]
    return [_line([escaped(heading) for heading in headings]), _line(["---"] * len(words) + ["---:"] * len(table.columns))]


def escaped(text: str, longest: int = 200) -> str:
    """Text that Markdown shows as it is."""
    return SPECIAL.sub(r"\\\1", visible(text, longest)).translate(ENTITIES)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(table: Table, row: Row, notes: Footnotes) -> list[str]:
    name = escaped(row.name) + _raised(notes.of_row(row))
    fields = [escaped(row.field_text(field)) for field in table.fields]
    return [name, *fields, *(_cell(table, cell, notes) for cell in row.cells)]


def _contrast(table: Table, words: Sequence[str], contrast: Contrast, notes: Footnotes) -> str:
    return _line([*map(escaped, words), *(_difference(table, cell, notes) for cell in contrast.cells)])


def _difference(table: Table, cell: ContrastCell | None, notes: Footnotes) -> str:
    if cell is None:
        return "–"
    text = f"**{cell.text}**" if cell.differs else cell.text
    below = f"<sub>{cell.interval_text}</sub>" if table.intervals and cell.interval else ""
    return f"{text}{below} ({escaped(cell.p_text)}){_raised(notes.of_cell(cell))}"


def _cell(table: Table, cell: Cell | None, notes: Footnotes) -> str:
    if cell is None:
        return "–"
    text = f"*{cell.text}*" if cell.grey else cell.text
    text = {"best": f"**{cell.text}**", "second": f"<ins>{cell.text}</ins>"}.get(cell.place, text)
    below = f"<sub>{cell.interval_text}</sub>" if table.intervals and cell.interval else ""
    return text + below + _raised(notes.of_cell(cell))


def _raised(text: str) -> str:
    return f"<sup>{text}</sup>" if text else ""
