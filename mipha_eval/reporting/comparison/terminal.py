"""A comparison on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mipha_eval.comparison.result import Comparison
from mipha_eval.reporting.comparison import cells
from mipha_eval.reporting.comparison.page import Section, find_sections, shown
from mipha_eval.reporting.marks import mark_texts
from mipha_eval.reporting.terminal import GONE, KEPT, PLAIN, Look, kept, print_lines, print_table

if TYPE_CHECKING:
    from rich.console import Console

FLIP_COLUMNS = 5  # without ids
#: what gives way on a narrow terminal, see `Look`, after the interval, which stands under the difference
YIELDS = {"p": "verdict", "metric": "task", "MDE": GONE, "effect": GONE, "n": GONE}
COLOURS = {"better": "green", "worse": "red"}


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Tables of differences and of questions gained and lost for each two runs, and what a reader must know."""
    for section in find_sections(comparison):
        print_lines(console, [shown(section.title)], style="bold")
        hidden = len(cells.MORE_HEADINGS) - 1  # n is shown; the rest is in the other formats
        phrases = [*_intervals(section), *_marks(comparison)]
        rows = [[_whole(cell, phrases) for cell in row[:-hidden]] for row, _ in section.rows]
        look = Look(COLOURS, yields={section.headings[cells.INTERVAL]: "difference", **YIELDS})
        _print_table(console, section.headings[:-hidden], rows, look)
        _print_table(console, cells.FLIP_HEADINGS[:FLIP_COLUMNS], [row[:FLIP_COLUMNS] for row in section.flips])
        _print(console, section.notes)
    _print(console, [cells.tie_text(comparison, group) for group in comparison.ties])
    _print(console, [f"{cells.GAP[bool(gap.values)]}: {cells.gap_text(comparison, gap)}" for gap in comparison.not_compared])
    _print(console, [*cells.how_lines(comparison), *cells.outcome_lines(comparison)])


def _intervals(section: Section) -> list[str]:
    return [row[cells.INTERVAL] for row, _ in section.rows]


def _marks(comparison: Comparison) -> list[str]:
    """All marks of all results, longer ones first."""
    found = {text for run in comparison.runs for result in run.results.values() for text in mark_texts(result)}
    return sorted(found, key=len, reverse=True)


def _whole(cell: str, phrases: Sequence[str]) -> str:
    """The cell with phrases that stay on one line."""
    for phrase in phrases:
        cell = cell.replace(phrase, kept(phrase))
    return cell


def _print_table(console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]], look: Look = PLAIN) -> None:
    print_table(console, [*map(_shown, headings)], [[*map(_shown, row)] for row in rows], look)


def _print(console: Console, lines: Sequence[str]) -> None:
    print_lines(console, [*map(shown, lines)])


def _shown(cell: str) -> str:
    """The cell as it is shown, spaces at which no line ends being kept."""
    return KEPT.join(map(shown, cell.split(KEPT)))
