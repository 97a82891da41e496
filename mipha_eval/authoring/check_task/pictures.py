"""What is seen of a picture without a model."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.core.types import Image
from mipha_eval.data.images import open_image

if TYPE_CHECKING:
    from PIL import Image as Pillow

WIDTH, HEIGHT = 9, 8  # of the grey picture whose neighbours are compared: 64 of them


@dataclass(frozen=True)
class Picture:
    """A picture that was looked at.

    Attributes:
        error: why it cannot be read or decoded; "" if it can.
        digest: of its bytes.
        looks: a difference hash: 64 bits, each whether a pixel of the picture made small is brighter than its neighbour.
        flat: whether nearly all neighbours are alike, so that `looks` tells little.
    """

    image: Image
    error: str = ""
    digest: str = ""
    looks: int = 0
    flat: bool = False


def look_at(image: Image) -> Picture:
    """Reads and decodes a picture, as a model would."""
    try:
        data = image.read()
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        looks, bits = _looks(open_image(replace(image, read=lambda: data)))
    except (OSError, ValueError, UserError, RequestError) as error:
        return Picture(image, error=str(error) or type(error).__name__)
    return Picture(image, digest=digest, looks=looks, flat=not 8 <= bits <= 56)


def _looks(picture: Pillow.Image) -> tuple[int, int]:
    """The difference hash of a picture, and how many of its bits are set."""
    from PIL import Image as Pillow

    grey = picture.convert("L").resize((WIDTH, HEIGHT), Pillow.Resampling.BILINEAR).tobytes()
    rows = [grey[start : start + WIDTH] for start in range(0, len(grey), WIDTH)]
    bits = [right > left for row in rows for left, right in itertools.pairwise(row)]
    found = sum(1 << place for place, bit in enumerate(bits) if bit)
    return found, found.bit_count()
