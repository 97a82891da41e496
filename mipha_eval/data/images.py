"""Decoding images."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.core.types import Image

if TYPE_CHECKING:
    from PIL import Image as Pillow


#: pixels that one picture may have, or have after padding to a square; Pillow's own limit for a bomb
MOST_PIXELS = 178_956_970


#: VLMEvalKit takes an image cell that is not longer for the index of another row
LONGEST_REFERENCE = 64
REFERENCE = re.compile(r"\d{1,18}(\.0+)?")


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


@dataclass(frozen=True)
class TablePictures:
    """Pictures of a table's rows: base64-encoded, or a short cell with the index of the row that holds the picture.

    Attributes:
        place: what the locations of the pictures begin with.
        cells: index of a row -> its cell.
        period: rows whose indices differ by a multiple of this are the same question, and mostly hold the same picture.
    """

    place: str
    cells: Mapping[int, str | None]
    period: int

    def image(self, row: int) -> Image:
        """The picture of a row, under one name and location for all rows that have it from one cell."""
        try:
            owner = self._owner(row)
        except OSError as error:
            # a location of its own: another row of the same question may have its picture
            return Image(str(row % self.period), f"{self.place}/{row} (none)", partial(_fail, str(error)))
        data, base = self.cells[owner] or "", owner % self.period
        same = self.cells.get(base) == data
        return Image(str(base), f"{self.place}/{base if same else owner}", partial(_decode_base64, data))

    def _owner(self, row: int) -> int:
        """The row that holds a row's picture. Raises OSError if none does."""
        passed = [row]
        while True:
            cell = (self.cells[passed[-1]] or "").strip()
            if not cell:
                raise OSError(f"row {passed[-1]} of the table has no picture")
            if len(cell) > LONGEST_REFERENCE or not REFERENCE.fullmatch(cell):
                return passed[-1]
            target = int(float(cell))
            if target not in self.cells:
                raise OSError(
                    f"row {passed[-1]} names row {target} as the one with its picture, which the table does not have"
                )
            if target in passed:
                raise OSError(f"rows {', '.join(map(str, passed))} name one another as the one with their picture")
            passed.append(target)


def _fail(reason: str) -> bytes:
    raise OSError(reason)


def _decode_base64(data: str) -> bytes:
    try:
        return base64.b64decode(data.rpartition(",")[2])  # behind the head of a data URI, if there is one
    except ValueError as error:
        raise OSError(f"the table's cell is not base64: {error}") from error


def stem(image: str) -> str:
    """An image's name without folder and endings, which other copies of a release change."""
    return PurePosixPath(image).name.partition(".")[0]


def image_digest(image: Image) -> str:
    """Identifies the encoded bytes of an image; "" if it cannot be read."""
    try:
        return bytes_digest(image.read())
    except (OSError, ValueError, UserError, RequestError):
        return ""


def bytes_digest(data: bytes) -> str:
    """Identifies a picture's encoded bytes."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def grey_image(image: Image) -> Image:
    """A uniformly grey picture in place of `image`, of the same size: what a model answers to it, it did not see."""
    return replace(image, location=f"grey:{image.location}", read=partial(_grey_png, image))


def _grey_png(image: Image) -> bytes:
    from PIL import Image as Pillow

    data = io.BytesIO()
    Pillow.new("RGB", open_image(image).size, (127, 127, 127)).save(data, "PNG")
    return data.getvalue()
