"""Pictures by which two ways to make pixels are compared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

#: width and height: wide, tall, square, narrow
SIZES = ((73, 41), (40, 90), (64, 64), (301, 17))


def sample_pictures() -> Iterator[Image.Image]:
    """Noise, in which every step of making pixels shows."""
    for width, height in SIZES:
        yield Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8))
