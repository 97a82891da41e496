"""Pictures by kitty's protocol, as its page describes it (sw.kovidgoyal.net/kitty/graphics-protocol)."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from mipha_eval.reporting.picture.fit import CELL, MOST_ROWS, fitted

if TYPE_CHECKING:
    from PIL import Image as Pillow

BEGIN, END = "\x1b_G", "\x1b\\"
CHUNK = 4096  # letters of one command's data
FINENESS = 3  # pixels that are sent for one of a usual cell: screens may be finer
#: transmit and show at the cursor; a PNG; say nothing back, since nobody here would read it
HEAD = "a=T,f=100,q=2"


def kitty_commands(picture: Pillow.Image, columns: int) -> str:
    """The commands that show a picture at the cursor, at most `columns` cells wide.

    The bytes that are sent are made anew of its pixels; what else its file holds is not sent.
    """
    most = (columns * CELL[0], MOST_ROWS * CELL[1])
    wide = -(-fitted(picture.size, most)[0] // CELL[0])
    sent = picture.convert("RGB").resize(fitted(picture.size, (FINENESS * most[0], FINENESS * most[1])))
    file = io.BytesIO()
    sent.save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode("ascii")
    chunks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    heads = [f"{HEAD},c={wide},", *[""] * (len(chunks) - 1)]
    more = [*[1] * (len(chunks) - 1), 0]
    return "".join(
        f"{BEGIN}{head}m={further};{chunk}{END}" for head, further, chunk in zip(heads, more, chunks, strict=True)
    )
