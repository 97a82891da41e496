"""How a picture becomes a square before an image processor sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PIL import Image

from mipha_eval.core.errors import RequestError
from mipha_eval.data.images import MOST_PIXELS

#: centred on a square of the mean colour, its middle cut out, or left to the image processor
Square = Literal["pad", "crop", "processor"]


def padded(image: Image.Image, mean: Sequence[float]) -> Image.Image:
    """An RGB picture centred on a square of the mean colour, as LLaVA's `expand2square` does.

    Args:
        mean: of red, green and blue, 0 to 1.

    Raises:
        RequestError: the square would be too large.
    """
    width, height = image.size
    side = max(width, height)
    if width == height:
        return image
    if side**2 > MOST_PIXELS:
        raise RequestError(f"an image of {width} x {height} is too large to be padded to a square")
    square = Image.new("RGB", (side, side), tuple(int(value * 255) for value in mean))
    square.paste(image, ((side - width) // 2, (side - height) // 2))
    return square


def cropped(image: Image.Image) -> Image.Image:
    """The square in the middle of a picture."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side))
