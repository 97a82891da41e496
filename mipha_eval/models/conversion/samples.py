"""Questions and pictures by which two ways to make tokens and pixels are compared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

#: questions that begin in different ways, by which prompts are compared
QUESTIONS = (
    "What is this?",
    "?",
    " is it red",
    "3 cats",
    "\nWho",
    "(a) one\n(b) two",
    "\u00e9t\u00e9",
    "\u8fd9\u662f\u4ec0\u4e48\uff1f",
    "",
)

#: how far pixels may differ
TOLERANCE = 1e-6

#: width and height: wide, tall, square, narrow
SIZES = ((73, 41), (40, 90), (64, 64), (301, 17))


def sample_pictures() -> Iterator[Image.Image]:
    """Noise, in which every step of making pixels shows."""
    for width, height in SIZES:
        yield Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8))
