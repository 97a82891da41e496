"""Tables and lines for a terminal of any width. Nothing is ever cut.

Cells are folded between words; where a row does not fit even so, the table becomes one block a row.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

KEPT = "\u00a0"  # stands for a space at which no line ends
FRAME = 3  # letters that a column takes beside its cells
NARROWEST = 14  # a column of words is not made narrower than this
LONGEST = 24  # a single word that is longer (an address, a path) may be broken; no number is
INDENT = "  "

Cells = Sequence[str]
NONE: Mapping[str, str] = {}


def kept(text: str) -> str:
    """A text that is to stay on one line, such as an interval."""
    return text.replace(" ", KEPT)


def print_table(
    console: Console, headings: Cells, rows: Sequence[Cells], styles: Mapping[str, str] = NONE, *, framed: bool = True
) -> None:
    """A table if the console is wide enough, else a block a row.

    Args:
        styles: of cells, by their text.
    """
    columns = [[heading, *(row[place] for row in rows)] for place, heading in enumerate(headings)]
    widths = column_widths(columns, console.width - 1 - FRAME * len(columns))
    if widths is None:
        for row in rows:
            _print_block(console, headings, row, styles)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table() if framed else Table(box=None, pad_edge=False)
    for heading, width in zip(headings, widths, strict=True):
        table.add_column(Text(_filled(heading, width)), width=width, no_wrap=True)
    for row in rows:
        cells = zip(row, widths, strict=True)
        table.add_row(*(Text(_filled(cell, width), style=styles.get(cell, "")) for cell, width in cells))
    _write(console, table)


def print_lines(console: Console, lines: Sequence[str], style: str = "") -> None:
    """Lines of text: folded between words on a terminal, what goes on being indented; as they are elsewhere."""
    from rich.text import Text

    for line in lines:
        indent = " " * (len(line) - len(line.lstrip(" "))) + INDENT
        folded = fold(line, console.width, indent) if console.is_terminal else [line.replace(KEPT, " ")]
        for part in folded:
            _write(console, Text(part, style=style))


def print_styled(console: Console, lines: Iterable[Text]) -> None:
    """Lines that are not folded, such as those of a picture."""
    for line in lines:
        _write(console, line)


def column_widths(columns: Sequence[Cells], room: int) -> list[int] | None:
    """How wide each column is to be, or None if they cannot be narrow enough for the room that there is.

    Args:
        columns: heading and cells of each.
        room: letters for all of them together.
    """
    widths = [max(map(_width, column)) for column in columns]
    least = [min(width, max(_narrowest(column), NARROWEST)) for width, column in zip(widths, columns, strict=True)]
    if sum(least) > room:
        return None
    while sum(widths) > room:
        spare = [width - own for width, own in zip(widths, least, strict=True)]
        widths[spare.index(max(spare))] -= 1
    return widths


def fold(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of at most `width` letters, broken between words; within one only if it alone is wider.

    Args:
        indent: what all lines but the first begin with.
    """
    lines, line, begun = [], "", False
    for word in _fitting(text.split(" "), max(1, width - len(indent))):
        longer = f"{line} {word}" if begun else word
        if begun and line.strip() and _width(longer) > width:
            lines.append(line)
            longer = f"{indent}{word}"
        line, begun = longer, True
    return [each.replace(KEPT, " ") for each in (*lines, line)]


def _fitting(words: Sequence[str], width: int) -> Iterator[str]:
    """The words; those that are wider than a line in parts."""
    from rich.cells import chop_cells

    for word in words:
        if _width(word) <= width:
            yield word
        elif KEPT in word:
            yield from _fitting(word.split(KEPT), width)
        else:
            yield from chop_cells(word, width)


def _print_block(console: Console, headings: Cells, row: Cells, styles: Mapping[str, str]) -> None:
    """A row as lines: its first cell, then the others below each other behind their headings."""
    from rich.text import Text

    names = max((_width(heading) for heading in headings[1:] if _width(heading) <= console.width // 3), default=0)
    for line in fold(row[0], console.width):
        _write(console, Text(line, style="bold"))
    for heading, cell in zip(headings[1:], row[1:], strict=True):
        before = f"{INDENT}{heading}{' ' * (names - _width(heading))}{INDENT}"
        if _width(heading) > names:  # too long to stand beside its cell
            for line in fold(heading, console.width - len(INDENT)):
                _write(console, Text(INDENT + line))
            before = INDENT * 2
        for line in fold(cell, max(1, console.width - _width(before))):
            _write(console, Text.assemble(before, (line, styles.get(cell, ""))))
            before = " " * _width(before)
    _write(console, Text())


def _write(console: Console, shown: RenderableType) -> None:
    """Prints without another thought about widths.

    By way of a console that writes to memory: one that finds its reader gone ends the program with an error's exit code.
    """
    from rich.console import Console

    page = Console(
        file=io.StringIO(),
        color_system=console.color_system,  # type: ignore[arg-type]  # which is one of the names that it may be
        force_terminal=console.is_terminal,
        width=console.width,
    )
    with page.capture() as captured:
        page.print(shown, soft_wrap=True)
    console.file.write(captured.get())


def _filled(cell: str, width: int) -> str:
    return "\n".join(fold(cell, width))


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _narrowest(column: Cells) -> int:
    """The width of the widest part of a column that is not to be broken."""
    words = [word for cell in column for word in cell.split(" ")]
    return max(_width(word) if KEPT in word else min(_width(word), LONGEST) for word in words)
