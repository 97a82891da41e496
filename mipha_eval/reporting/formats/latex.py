"""Tables in LaTeX: booktabs, one float with its notes, for any engine."""

from __future__ import annotations

from collections.abc import Sequence

from mipha_eval.reporting.contrast import ContrastCell, contrast_words
from mipha_eval.reporting.formats.latex_text import latex_text
from mipha_eval.reporting.notes import Footnotes
from mipha_eval.reporting.table import Cell, Row, Table

PACKAGES = r"\usepackage{booktabs,graphicx,xcolor}"
#: more columns than this go over both columns of a page
NARROW = 6
END = (r"\bottomrule", r"\end{tabular}}")


def render(table: Table) -> str:
    """A float with caption, label, table and notes; too wide a table is made smaller."""
    notes = Footnotes(table)
    words = [*(factor.heading for factor in table.factors), "Method", *(field.heading for field in table.fields)]
    wide = len(words) + len(table.columns)
    float_name = "table" if wide <= NARROW else "table*"
    lines = [
        f"% needs {PACKAGES}",
        rf"\begin{{{float_name}}}[t]",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{latex_text(table.title)}.}}",
        rf"\label{{tab:{_label(table.name)}}}",
        *_head(table, words),
    ]
    levels = table.levels()
    for group in table.groups:
        lines.append(r"\midrule")
        if group.title:
            lines.append(rf"\multicolumn{{{wide}}}{{@{{}}l}}{{\textit{{{latex_text(group.title)}}}}} \\")
        lines += [_line([*map(latex_text, next(levels)), *_row(table, row, notes)]) for row in group.rows]
    lines += [*END, *_contrasts(table, notes), *_under(table, notes), rf"\end{{{float_name}}}", ""]
    return "\n".join(lines)


def _head(table: Table, words: Sequence[str]) -> list[str]:
    """The beginning of a tabular: words to the left, the table's columns to the right."""
    headings = [*words, *(column.heading for column in table.columns)]
    return [
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{@{{}}{'l' * len(words)}{'r' * len(table.columns)}@{{}}}}",
        r"\toprule",
        _line([latex_text(heading) for heading in headings]),
    ]


def _contrasts(table: Table, notes: Footnotes) -> list[str]:
    """The table of differences, under the other."""
    if not table.contrasts:
        return []
    words, texts = contrast_words(table.contrasts)
    lines = [r"\par\medskip", *_head(table, words), r"\midrule"]
    for own, contrast in zip(texts, table.contrasts, strict=True):
        lines.append(_line([*map(latex_text, own), *(_difference(table, cell, notes) for cell in contrast.cells)]))
    return [*lines, *END]


def _difference(table: Table, cell: ContrastCell | None, notes: Footnotes) -> str:
    if cell is None:
        return "--"
    number = cell.text.replace("-", r"\textminus{}")
    text = rf"\textbf{{{number}}}" if cell.differs else number
    below = rf"\textsubscript{{{latex_text(cell.interval_text)}}}" if table.intervals and cell.interval else ""
    return f"{text}{below} ({latex_text(cell.p_text)}){_raised(notes.of_cell(cell))}"


def _label(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _row(table: Table, row: Row, notes: Footnotes) -> list[str]:
    name = latex_text(row.name) + _raised(notes.of_row(row))
    fields = [latex_text(row.field_text(field)) for field in table.fields]
    return [name, *fields, *(_cell(table, cell, notes) for cell in row.cells)]


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
