"""In which way a terminal shows a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console

#: blocks are letters with colours; sixel and kitty are pixels; path is where the picture is, as a text
Way = Literal["blocks", "sixel", "kitty", "path", "none"]

BLOCK = "▀"
#: what TERM begins with, or TERM_PROGRAM is, in terminals that draw pixels
KITTY_TERMS = ("xterm-kitty", "xterm-ghostty")
KITTY_PROGRAMS = ("ghostty",)
SIXEL_TERMS = ("foot", "mlterm", "contour", "yaft")
SIXEL_PROGRAMS = ("WezTerm", "iTerm.app", "mintty")
#: programs between us and the terminal, which let no pixels through
BETWEEN = ("TMUX", "STY")


def chosen_way(asked: Way | None, console: Console, environment: Mapping[str, str]) -> Way:
    """How pictures are shown on a console: as asked, as far as it can; where it is no terminal, without any escape code.

    Nothing is asked of the terminal itself: what tells it apart are the variables that it sets.

    Args:
        asked: None for the best way that the environment speaks of.
    """
    if asked in ("path", "none"):
        return asked
    if not console.is_terminal:
        return "path"
    pixels = asked or _pixels(environment)
    if pixels in ("sixel", "kitty") and console.file.isatty():
        return pixels
    return "blocks" if _has_blocks(console) else "path"


def _pixels(environment: Mapping[str, str]) -> Way | None:
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if any(name in environment for name in BETWEEN) or term.startswith(("screen", "tmux")):
        return None
    if "KITTY_WINDOW_ID" in environment or term.startswith(KITTY_TERMS) or program in KITTY_PROGRAMS:
        return "kitty"
    return "sixel" if term.startswith(SIXEL_TERMS) or program in SIXEL_PROGRAMS else None


def _has_blocks(console: Console) -> bool:
    """Whether there are colours, without which blocks are all alike, and the letter."""
    try:
        BLOCK.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return console.color_system is not None and not console.no_color
