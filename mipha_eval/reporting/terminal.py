"""Tables and lines for a terminal of any width. Nothing is ever cut, and no word is broken that a line has room for.

Cells are folded between words; where a row does not fit even so, columns give way as its `Look` says, and where that is not
enough, the table becomes one block a row, which has all of them.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

KEPT = "\u00a0"  # stands for a space at which no line ends
FRAME = 3  # letters that a column takes beside its cells
NARROWEST = 14  # a column of words is not made narrower than this
INDENT = "  "
GONE = ""  # what a column that is left out stands below

Cells = Sequence[str]


def kept(text: str) -> str:
    """A text that is to stay on one line, such as an interval."""
    return text.replace(" ", KEPT)


@dataclass(frozen=True)
class Look:
    """How a table looks, and what it does, step by step, until it fits.

    Attributes:
        styles: of cells, by their text.
        yields: headings of columns, the one that is missed least first, each with the heading of the column below whose
            cells its own then stand; `GONE` for a column that is left out.
    """

    styles: Mapping[str, str] = field(default_factory=dict)
    framed: bool = True
    yields: Mapping[str, str] = field(default_factory=dict)


PLAIN = Look()


@dataclass(frozen=True)
class Grid:
    """A table's cells as they may be shown; a cell's lines are apart by line breaks."""

    headings: Cells
    rows: Sequence[Cells]
    left_out: Cells = ()

    def columns(self) -> list[list[str]]:
        """Heading and cells of each."""
        return [[heading, *(row[place] for row in self.rows)] for place, heading in enumerate(self.headings)]

    def without(self, heading: str) -> Grid:
        return Grid(*self._removed(self.headings.index(heading)), (*self.left_out, heading))

    def moved(self, heading: str, host: str) -> Grid:
        """The cells of one column below those of another, which may have some below it already."""
        place = self.headings.index(heading)
        below = next(number for number, text in enumerate(self.headings) if text.split("\n")[0] == host)
        both = [
            [f"{cell}\n{row[place]}" if number == below else cell for number, cell in enumerate(row)]
            for row in (self.headings, *self.rows)
        ]
        return Grid(*Grid(both[0], both[1:])._removed(place), self.left_out)

    def _removed(self, place: int) -> tuple[Cells, Sequence[Cells]]:
        first, *others = ([*row[:place], *row[place + 1 :]] for row in (self.headings, *self.rows))
        return first, others


def arrangements(grid: Grid, look: Look) -> Iterator[Grid]:
    """The table as it is, then as it gives way, each narrower than the one before."""
    yield grid
    for heading, host in look.yields.items():
        grid = grid.without(heading) if host == GONE else grid.moved(heading, host)
        yield grid


def print_table(console: Console, headings: Cells, rows: Sequence[Cells], look: Look = PLAIN) -> None:
    """A table if the console is wide enough, else a block a row."""
    headings, *rows = ([encodable(console, cell) for cell in row] for row in (headings, *rows))
    look = replace(look, yields={encodable(console, gone): encodable(console, host) for gone, host in look.yields.items()})
    for grid in arrangements(Grid(headings, rows), look):
        widths = column_widths(grid.columns(), console.width - 1 - FRAME * len(grid.headings))
        if widths is not None:
            _print_grid(console, grid, widths, look)
            return
    for row in rows:
        _print_block(console, headings, row, look.styles)


def _print_grid(console: Console, grid: Grid, widths: Sequence[int], look: Look) -> None:
    from rich.table import Table
    from rich.text import Text

    apart = any("\n" in heading for heading in grid.headings)  # rows of several lines have a line between them
    table = Table(show_lines=apart) if look.framed else Table(box=None, pad_edge=False)
    for heading, width in zip(grid.headings, widths, strict=True):
        table.add_column(Text(_filled(heading, width)), width=width, no_wrap=True)
    for row in grid.rows:
        cells = zip(row, widths, strict=True)
        table.add_row(*(_styled(cell, width, look.styles) for cell, width in cells))
    _write(console, table)
    if grid.left_out:
        print_lines(console, [f"(no room for {', '.join(map(kept, grid.left_out))})"])


def _styled(cell: str, width: int, styles: Mapping[str, str]) -> Text:
    """The cell in the styles of its lines."""
    from rich.text import Text

    lines = [Text(_filled(line, width), style=styles.get(line, "")) for line in cell.split("\n")]
    return Text("\n").join(lines)


def print_lines(console: Console, lines: Sequence[str], style: str = "") -> None:
    """Lines of text: folded between words on a terminal, what goes on being indented; as they are elsewhere."""
    from rich.text import Text

    for line in (encodable(console, each) for each in lines):
        indent = " " * (len(line) - len(line.lstrip(" "))) + INDENT
        folded = fold(line, console.width, indent) if console.is_terminal else [line.replace(KEPT, " ")]
        for part in folded:
            _write(console, Text(part, style=style))


def print_styled(console: Console, lines: Iterable[Text]) -> None:
    """Lines that are not folded, such as those of a picture."""
    for line in lines:
        _write(console, line)


def encodable(console: Console, text: str) -> str:
    """A text with escapes for what the console's encoding lacks, so that it is as wide as it will be."""
    return KEPT.join(part.encode(console.encoding, "backslashreplace").decode(console.encoding) for part in text.split(KEPT))


def column_widths(columns: Sequence[Cells], room: int) -> list[int] | None:
    """How wide each column is to be, or None if they cannot be narrow enough for the room that there is.

    Args:
        columns: heading and cells of each.
        room: letters for all of them together.
    """
    widths = [max(_width(line) for cell in column for line in cell.split("\n")) for column in columns]
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
        if _width(heading) > names or _narrowest([cell]) > console.width - _width(before):  # no room for both in a line
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
    It has the same encoding, by which lines of a table are drawn.
    """
    from rich.console import Console

    page = Console(
        file=io.TextIOWrapper(io.BytesIO(), console.encoding),
        color_system=console.color_system,  # type: ignore[arg-type]  # which is one of the names that it may be
        force_terminal=console.is_terminal,
        width=console.width,
    )
    with page.capture() as captured:
        page.print(shown, soft_wrap=True)
    console.file.write(captured.get())


def _filled(cell: str, width: int) -> str:
    return "\n".join(part for line in cell.split("\n") for part in fold(line, width))


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _narrowest(column: Cells) -> int:
    """The width of the widest word, or of the widest text that is kept in one piece."""
    return max(_width(word) for cell in column for line in cell.split("\n") for word in line.split(" "))
