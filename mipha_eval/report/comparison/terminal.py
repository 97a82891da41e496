"""A comparison on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mipha_eval.comparison.result import Comparison
from mipha_eval.report.comparison import cells
from mipha_eval.report.comparison.page import find_sections, shown

if TYPE_CHECKING:
    from rich.console import Console

FLIP_COLUMNS = 5  # without ids
COLOURS = {"better": "green", "worse": "red"}


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Tables of differences and of questions gained and lost for each two runs, and what a reader must know."""
    for section in find_sections(comparison):
        console.print(shown(section.title), style="bold", markup=False, highlight=False)
        hidden = len(cells.MORE_HEADINGS) - 1  # n is shown; the rest is in the other formats
        _print_table(console, section.headings[:-hidden], [row[:-hidden] for row, _ in section.rows])
        _print_table(console, cells.FLIP_HEADINGS[:FLIP_COLUMNS], [row[:FLIP_COLUMNS] for row in section.flips])
        _print_lines(console, section.notes)
    _print_lines(console, [cells.tie_text(comparison, group) for group in comparison.ties])
    _print_lines(console, [f"not compared: {cells.gap_text(comparison, gap)}" for gap in comparison.not_compared])
    _print_lines(console, [*cells.how_lines(comparison), *cells.outcome_lines(comparison)])


def _print_table(console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for heading in headings:
        table.add_column(Text(shown(heading)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell), style=COLOURS.get(cell, "")) for cell in row))
    console.print(table)


def _print_lines(console: Console, lines: Sequence[str]) -> None:
    for line in lines:
        console.print(shown(line), markup=False, highlight=False)
