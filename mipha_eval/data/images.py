"""Decoding images."""

from __future__ import annotations

import base64
import hashlib
import io
import warnings
from functools import partial
from typing import TYPE_CHECKING

from mipha_eval.errors import RequestError, UserError
from mipha_eval.types import Image

if TYPE_CHECKING:
    from PIL import Image as Pillow


#: pixels that one picture may have, or have after padding to a square; Pillow's own limit for a bomb
MOST_PIXELS = 178_956_970


class ImageError(RequestError):
    """An image that is missing, truncated, too large or not an image; the message names it."""


def open_image(image: Image) -> Pillow.Image:
    """Decodes an image to RGB.

    The EXIF orientation is ignored, as the official evaluation code of LLaVA and Mipha does (``Image.open(...)
    .convert('RGB')``): the same weights must see the same pixels.

    Raises:
        ImageError: the image is missing or broken.
    """
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        data = image.read()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ImageError(f"image {image.name} cannot be read: {error}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is no concern of ours
            with Pillow.open(io.BytesIO(data)) as picture:
                return picture.convert("RGB")
    except UnidentifiedImageError as error:
        raise ImageError(f"image {image.name} is not an image") from error
    except Exception as error:  # Pillow's decoders raise whatever a broken file leads to
        raise ImageError(f"image {image.name} is broken: {error}") from error


def base64_image(name: str, location: str, data: str | None) -> Image:
    """An image that stands base64-encoded in a table."""
    return Image(name, location, partial(_decode_base64, data))


def _decode_base64(data: str | None) -> bytes:
    if not data:
        raise OSError("the table has no image there")
    return base64.b64decode(data)


def image_digest(image: Image) -> str:
    """Identifies the encoded bytes of an image; "" if it cannot be read."""
    try:
        return hashlib.blake2b(image.read(), digest_size=8).hexdigest()
    except (OSError, ValueError, UserError, RequestError):
        return ""


def grey_image(image: Image) -> Image:
    """A uniformly grey picture in place of `image`, of the same size: what a model answers to it, it did not see."""
    return Image(image.name, f"grey:{image.location}", partial(_grey_png, image))


def _grey_png(image: Image) -> bytes:
    from PIL import Image as Pillow

    data = io.BytesIO()
    Pillow.new("RGB", open_image(image).size, (127, 127, 127)).save(data, "PNG")
    return data.getvalue()
