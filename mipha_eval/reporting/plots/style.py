"""Looks that survive a black-and-white printer: shades with hatches, lines with marks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mipha_eval.reporting.plots.series import Point, Series
from mipha_eval.reporting.visible import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADES = ("#1b1b1b", "#ffffff", "#8c8c8c", "#d9d9d9", "#565656", "#f2f2f2", "#b3b3b3", "#3b3b3b")
HATCHES = ("", "///", "", "...", "xxx", "\\\\\\", "++", "ooo")
LINES = ("-", "--", "-.", ":", "-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
#: colours that people with any colour vision tell apart (Okabe and Ito, "Color Universal Design", 2008)
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
LONGEST_NAME = 40
HANDLE, LETTER, LINE = 0.5, 0.07, 0.18  # inches: a legend's patch, a letter, a line of text

SETTINGS: Any = {
    "pdf.fonttype": 42,  # TrueType: editors and conference checks want no Type 3
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "hatch.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a name with dollars is no formula
}


@contextmanager
def paper_style() -> Iterator[None]:
    """matplotlib's settings while entered."""
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS):
        yield


def label(text: str, longest: int = LONGEST_NAME) -> str:
    """Text of a plot, in letters that its font has."""
    from matplotlib.font_manager import findfont, get_font

    known = get_font(findfont("DejaVu Sans")).get_charmap()
    shown = visible(text, longest)
    return "".join(letter if ord(letter) in known else f"[U+{ord(letter):04X}]" for letter in shown)


def heading(title: str, panels: Sequence[Series]) -> str:
    """A title that explains what marks points have, and says if rows are left out."""
    points = [point for panel in panels for point in panel.points]
    left_out, drawn = len(panels[0].left_out), len(panels[0].rows) + len(panels[0].floors)
    return titled(title, points, [f"{drawn} of {drawn + left_out} rows"] if left_out else [])


def titled(title: str, points: Iterable[Point], told: Sequence[str] = ()) -> str:
    """A title that explains what marks points have, and tells what else there is to know."""
    points = list(points)
    marks = ["† published"] if any(point.row.endswith("†") for point in points) else []
    marks += ["* see the table's footnotes"] if any(point.remarks for point in points) else []
    return "\n".join([label(title, 100), *([", ".join([*marks, *told])] if marks or told else [])])


@dataclass(frozen=True)
class LegendRoom:
    """What a legend below a figure takes.

    Attributes:
        columns: of names.
        height: inches.
    """

    columns: int
    height: float

    @classmethod
    def of(cls, names: Iterable[str], width: float) -> LegendRoom:
        """For a figure of so many inches."""
        widths = [HANDLE + LETTER * len(label(name)) for name in names if name]
        columns = max(1, min(len(widths), int(width / max(widths, default=width))))
        return cls(columns, LINE * math.ceil(len(widths) / columns))


def save(figure: Figure, path: Path) -> list[Path]:
    """Writes ``path.pdf`` and ``path.png``, the same bytes every time."""
    files = [path.with_name(f"{path.name}.{ending}") for ending in ("pdf", "png")]
    looks: Any = {"metadata": {"CreationDate": None}}, {"metadata": {"Software": None}, "dpi": 300}
    for file, look in zip(files, looks, strict=True):
        drawn = BytesIO()  # where a file has no room, matplotlib loses the error among its own
        figure.savefig(drawn, format=file.suffix[1:], bbox_inches="tight", **look)
        file.write_bytes(drawn.getvalue())
    return files
