"""A comparison as Markdown and as an HTML page that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mipha_eval.comparison.difference import Difference
from mipha_eval.comparison.result import Comparison, Pair
from mipha_eval.core.plugins.registry import plugin_folder
from mipha_eval.reporting.comparison import cells
from mipha_eval.reporting.visible import visible

Format = Literal["md", "html"]
LONGEST_LINE = 5_000

#: what has a meaning in Markdown; an underscore within a word has none
MARKUP = re.compile(r"[\\`*\[\]<>|&~#]|(?<![^\W_])_|_(?![^\W_])")


@dataclass(frozen=True)
class Bar:
    """An interval in a drawing: where it begins, its width and its middle, in percent of the drawing, whose centre is 0."""

    left: float
    width: float
    middle: float


@dataclass(frozen=True)
class Section:
    """All that compares two runs."""

    title: str
    headings: Sequence[str]
    rows: Sequence[tuple[Sequence[str], Bar | None]]
    flips: Sequence[Sequence[str]]
    notes: Sequence[str]


def render_comparison(comparison: Comparison, form: Format) -> str:
    """The whole text of a page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    # in HTML the engine escapes what comes from outside, in Markdown the filter `text`
    environment = Environment(
        loader=FileSystemLoader(plugin_folder("reports") / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=select_autoescape(["html.j2"]),
    )
    environment.filters["text"] = markdown if form == "md" else shown
    return environment.get_template(f"comparison.{form}.j2").render(
        title="Comparison of " + ", ".join(cells.run_name(comparison, place) for place in range(len(comparison.runs))),
        runs=comparison.runs,
        sections=find_sections(comparison),
        flip_headings=cells.FLIP_HEADINGS,
        outcomes=cells.outcome_lines(comparison),
        regressed=bool(comparison.regressions),
        ties=[cells.tie_text(comparison, group) for group in comparison.ties],
        gaps=[cells.gap_text(comparison, gap) for gap in comparison.not_compared],
        how=cells.how_lines(comparison),
    )


def shown(value: object) -> str:
    """A whole line; the names and ids in it have been cut already."""
    return visible(value, longest=LONGEST_LINE)


def markdown(value: object) -> str:
    """Text that Markdown shows as it is: no markup, no link, no end of a table's cell."""
    return MARKUP.sub(r"\\\g<0>", shown(value))


def find_sections(comparison: Comparison) -> list[Section]:
    """A section for each two runs, in the order of the pairs."""
    found: dict[tuple[int, int], list[Pair]] = {}
    for pair in comparison.pairs:
        found.setdefault(pair.runs, []).append(pair)
    return [_section(comparison, pairs) for pairs in found.values()]


def _section(comparison: Comparison, pairs: Sequence[Pair]) -> Section:
    first, second = (cells.run_name(comparison, place) for place in pairs[0].runs)
    scales = _scales(comparison)
    return Section(
        title=f"{second} against {first}",
        headings=cells.difference_headings(comparison, pairs[0].runs),
        rows=[
            (cells.difference_cells(comparison, pair, row), _bar(row.difference, scales[row.difference.unit]))
            for pair in pairs
            for row in pair.rows
        ],
        flips=[row for pair in pairs for row in cells.flip_rows(pair)],
        notes=[note for pair in pairs for note in cells.pair_notes(comparison, pair)],
    )


def _scales(comparison: Comparison) -> dict[str, float]:
    """The largest number of each unit that a drawing must have room for."""
    scales: dict[str, float] = {}
    for pair in comparison.pairs:
        for row in pair.rows:
            reach = max(map(abs, (row.difference.value, *(row.difference.interval or ()))))
            scales[row.difference.unit] = max(scales.get(row.difference.unit, 0.0), reach)
    return scales


def _bar(found: Difference, scale: float) -> Bar | None:
    if found.interval is None or not scale:
        return None
    low, high, value = (50 + 50 * number / scale for number in (*found.interval, found.value))
    return Bar(left=low, width=high - low, middle=value)
