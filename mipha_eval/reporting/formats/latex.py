"""Tables in LaTeX: booktabs, one float with its notes, for any engine."""

from __future__ import annotations

from mipha_eval.reporting.formats.latex_text import latex_text
from mipha_eval.reporting.notes import Footnotes
from mipha_eval.reporting.table import Cell, Row, Table

PACKAGES = r"\usepackage{booktabs,graphicx,xcolor}"
#: more columns than this go over both columns of a page
NARROW = 6


def render(table: Table) -> str:
    """A float with caption, label, table and notes; too wide a table is made smaller."""
    notes = Footnotes(table)
    headings = ["Method", *(field.heading for field in table.fields), *(column.heading for column in table.columns)]
    float_name = "table" if len(headings) <= NARROW else "table*"
    alignment = "l" * (1 + len(table.fields)) + "r" * len(table.columns)
    lines = [
        f"% needs {PACKAGES}",
        rf"\begin{{{float_name}}}[t]",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{latex_text(table.title)}.}}",
        rf"\label{{tab:{_label(table.name)}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{@{{}}{alignment}@{{}}}}",
        r"\toprule",
        _line([latex_text(heading) for heading in headings]),
    ]
    for group in table.groups:
        lines.append(r"\midrule")
        if group.title:
            lines.append(rf"\multicolumn{{{len(headings)}}}{{@{{}}l}}{{\textit{{{latex_text(group.title)}}}}} \\")
        lines += [_row(table, row, notes) for row in group.rows]
    lines += [r"\bottomrule", r"\end{tabular}}", *_under(table, notes), rf"\end{{{float_name}}}", ""]
    return "\n".join(lines)


def _label(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _row(table: Table, row: Row, notes: Footnotes) -> str:
    name = latex_text(row.name) + _raised(notes.of_row(row))
    fields = [latex_text(row.fields.get(field.key, "–")) for field in table.fields]
    return _line([name, *fields, *(_cell(table, cell, notes) for cell in row.cells)])


def _cell(table: Table, cell: Cell | None, notes: Footnotes) -> str:
    if cell is None:
        return "--"
    number = latex_text(cell.text)
    text = rf"\textcolor{{gray}}{{{number}}}" if cell.grey else number
    text = {"best": rf"\textbf{{{number}}}", "second": rf"\underline{{{number}}}"}.get(cell.place, text)
    below = rf"\textsubscript{{{latex_text(cell.interval_text)}}}" if table.intervals and cell.interval else ""
    return text + below + _raised(notes.of_cell(cell))


def _raised(text: str) -> str:
    return rf"\textsuperscript{{{latex_text(text)}}}" if text else ""


def _under(table: Table, notes: Footnotes) -> list[str]:
    """Footnotes and notes, each a paragraph as wide as the text."""
    told = [rf"{_raised(letter)} {latex_text(remark)}" for remark, letter in notes.letters.items()]
    footnotes = [r"\quad ".join(told)] if told else []
    paragraphs = [*footnotes, *(latex_text(note, longest=len(note)) for note in table.notes)]
    return [
        r"\par\smallskip\begin{minipage}{\linewidth}\scriptsize\raggedright",
        r"\par ".join(f"{text}\n" for text in paragraphs) + r"\end{minipage}",
    ]
