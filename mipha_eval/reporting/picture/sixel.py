"""Pictures as sixels, as DEC's manual of the VT340 describes them (vt100.net/docs/vt3xx-gp, chapter 14)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from mipha_eval.reporting.picture.fit import CELL, MOST_ROWS, fitted

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image as Pillow

BEGIN, END = "\x1bP0;1q", "\x1b\\"
COLOURS = 256
BAND = 6  # rows of pixels that a letter holds
LEAST_REPEATED = 4  # a shorter run is not shorter as a number and a letter


def sixels(picture: Pillow.Image, columns: int) -> str:
    """The sequence that draws a picture at the cursor, at most `columns` usual cells wide, with 256 colours of its own."""
    import numpy as np

    size = fitted(picture.size, (columns * CELL[0], MOST_ROWS * CELL[1]))
    reduced = picture.convert("RGB").resize(size).quantize(COLOURS)
    palette = np.frombuffer(bytes(reduced.getpalette() or ()), np.uint8).reshape(-1, 3)
    names = "".join(f"#{place};2;{';'.join(str(round(part / 2.55)) for part in rgb)}" for place, rgb in enumerate(palette))
    pixels = np.asarray(reduced)
    bands = (_band(pixels[top : top + BAND]) for top in range(0, size[1], BAND))
    return f'{BEGIN}"1;1;{size[0]};{size[1]}{names}{"-".join(bands)}{END}'


def _band(rows: np.ndarray) -> str:
    """Up to six rows: a pass over them for each colour that they have, back to their beginning after each."""
    import numpy as np

    worth = (1 << np.arange(len(rows)))[:, None]
    passes = []
    for colour in np.unique(rows):
        letters = (((rows == colour) * worth).sum(0) + ord("?")).astype(np.uint8).tobytes().decode("ascii").rstrip("?")
        runs = ((letter, len(list(run))) for letter, run in itertools.groupby(letters))
        packed = "".join(f"!{length}{letter}" if length >= LEAST_REPEATED else letter * length for letter, length in runs)
        passes.append(f"#{colour}{packed}")
    return "$".join(passes)
