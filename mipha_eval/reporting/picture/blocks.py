"""Pictures as half blocks: a letter shows two pixels, the upper one in its own colour and the lower one as its ground."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from mipha_eval.reporting.picture.fit import MOST_ROWS, fitted
from mipha_eval.reporting.picture.way import BLOCK

if TYPE_CHECKING:
    from PIL import Image as Pillow
    from rich.text import Text


def half_blocks(picture: Pillow.Image, columns: int) -> list[Text]:
    """The lines of a picture, at most `columns` letters wide; under an odd last row the ground is the terminal's.

    They have 24-bit colours, which `rich` makes those that a terminal has.
    """
    from PIL import Image as Pillow
    from rich.color import Color
    from rich.style import Style
    from rich.text import Text

    width, height = fitted(picture.size, (columns, 2 * MOST_ROWS))
    data = picture.convert("RGB").resize((width, height), Pillow.Resampling.BOX).tobytes()
    pixels = list(zip(data[::3], data[1::3], data[2::3], strict=True))
    rows = [pixels[start : start + width] for start in range(0, len(pixels), width)]
    lines = []
    for upper, lower in itertools.zip_longest(rows[::2], rows[1::2]):
        line = Text(no_wrap=True, end="")
        pairs = itertools.zip_longest(upper, lower or ())
        for (letter, ground), run in itertools.groupby(pairs):
            style = Style(color=Color.from_rgb(*letter), bgcolor=Color.from_rgb(*ground) if ground else None)
            line.append(BLOCK * len(list(run)), style)
        lines.append(line)
    return lines
