"""Pictures as servers are sent them: the file's own bytes as a data URL."""

from __future__ import annotations

import base64
import io
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mipha_eval.core.types import Image
from mipha_eval.data.images import ImageError, open_image

if TYPE_CHECKING:
    from PIL import Image as Pillow

#: EXIF's tag of how a picture is to be turned when it is shown, and its value for not at all
ORIENTATION, UPRIGHT = 0x0112, 1

#: JPEG's markers of EXIF and XMP, and of the pixels
APP1, SCAN = 0xE1, 0xDA

QUALITY = 92  # of JPEG, for pictures that have to be smaller


@dataclass(frozen=True)
class SentPicture:
    """A picture as it is sent.

    Attributes:
        url: a data URL.
        resized: whether the file had too many bytes, so that it is a smaller picture.
    """

    url: str
    resized: bool


def sent_picture(image: Image, most_bytes: int | None) -> SentPicture:
    """The file's own bytes, unless they are more than `most_bytes`; then as large a JPEG or PNG of it as that allows.

    A server may turn a picture as its EXIF orientation says, which no other model here does; then the orientation alone is
    taken out. A picture that cannot be decoded is not sent.

    Raises:
        ImageError: it is missing or broken.
    """
    picture = open_image(image)
    try:
        data = image.read()
    except (OSError, ValueError) as error:
        raise ImageError(f"image {image.name} cannot be read: {error}") from error
    kind, turned = _kind(data)
    if turned:
        data, kind = _upright(data, kind, picture)
    resized = most_bytes is not None and len(data) > most_bytes
    if most_bytes is not None and resized:
        data, kind = _smaller(picture, most_bytes, image.name)
    return SentPicture(f"data:{kind};base64,{base64.b64encode(data).decode()}", resized)


def _kind(data: bytes) -> tuple[str, bool]:
    """The MIME type of a picture, and whether it is to be turned when it is shown."""
    from PIL import Image as Pillow

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata is no concern of ours
        with Pillow.open(io.BytesIO(data)) as picture:
            kind = "image/jpeg" if picture.format == "MPO" else Pillow.MIME.get(picture.format or "", "image/png")
            try:
                turned = picture.getexif().get(ORIENTATION, UPRIGHT) != UPRIGHT
            except Exception:  # Pillow raises whatever broken metadata lead to; nobody will turn a picture by these
                turned = False
    return kind, turned


def _upright(data: bytes, kind: str, picture: Pillow.Image) -> tuple[bytes, str]:
    """The same pixels without a word on how to turn them."""
    if kind == "image/jpeg":
        plain = _without_metadata(data)
        if not _kind(plain)[1]:
            return plain, kind
    return _encoded(picture, "PNG"), "image/png"


def _without_metadata(data: bytes) -> bytes:
    """A JPEG without its segments of EXIF and XMP; all others stay as they are."""
    parts, place = [data[:2]], 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != SCAN:
        if data[place + 1] == 0xFF:  # a byte that fills up
            place += 1
            continue
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        parts += [] if data[place + 1] == APP1 else [data[place:end]]
        place = end
    return b"".join([*parts, data[place:]])


def _smaller(picture: Pillow.Image, most_bytes: int, name: str) -> tuple[bytes, str]:
    """A JPEG, or where that is too large and it is not a PNG, of so many bytes at most; and its MIME type."""
    width, height = picture.size
    scale = 1.0
    while True:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        resized = picture if size == picture.size else picture.resize(size)
        found = {kind: _encoded(resized, kind) for kind in ("JPEG", "PNG")}
        kind = next((kind for kind, data in found.items() if len(data) <= most_bytes), "")
        if kind:
            return found[kind], f"image/{kind.lower()}"
        if size == (1, 1):
            raise ImageError(f"image {name} cannot be sent in {most_bytes:,} bytes")
        least = min(map(len, found.values()))
        scale *= max(0.3, min(0.95, 0.97 * math.sqrt(most_bytes / least)))


def _encoded(picture: Pillow.Image, kind: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **({"quality": QUALITY} if kind == "JPEG" else {}))
    return file.getvalue()
