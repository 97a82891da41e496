"""The pictures of stored questions: found again by their stored location, and made small enough for a page."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from mipha_eval.core.files import MOST_PICTURE_BYTES, read_regular
from mipha_eval.core.types import Image
from mipha_eval.data.images import ImageError, open_image

if TYPE_CHECKING:
    from PIL import Image as Pillow

GREY = "grey:"  # how the location of a blind run's picture begins
MOST_BYTES = 20_000  # of a thumbnail
FEWEST_BYTES = 4_000  # with less, too little is to be seen
LARGEST, PROBE = 448, 96  # pixels of the longer edge: at most, and of the try by which bytes are foreseen
GROWTH = 1.5  # bytes as a power of the edge; for photographs, and only to be tried
FILLED = 0.95  # of the bytes allowed, to be aimed at
TRIES = 5
QUALITY = 60
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif", "BMP": "image/bmp"}


@dataclass
class Pictures:
    """Numbers the distinct pictures of a page, as they are asked for; they are read later."""

    found: list[Image] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, image: Image, origin: Origin) -> int:
        """The picture's number; pictures with the same location have the same."""
        place = image.location.removeprefix(GREY)
        if place not in self._numbers:
            self._numbers[place] = len(self.found)
            self.found.append(Image(image.name, place, functools.partial(_read, image.name, place, origin)))
        return self._numbers[place]

    def forget(self, after: int) -> None:
        """Gives up the pictures with the numbers from `after` on."""
        del self.found[after:]
        self._numbers = {place: number for place, number in self._numbers.items() if number < after}


@dataclass(frozen=True)
class Origin:
    """Where pictures are that are no files, such as those in a benchmark's table: `read` is called once, if ever."""

    read: Callable[[], Mapping[str, Image]]

    @functools.cached_property
    def images(self) -> Mapping[str, Image]:
        """By location."""
        return self.read()


def _read(name: str, place: str, origin: Origin) -> bytes:
    """The picture's bytes; a location that leads out of its folder is not followed."""
    path = Path(place)
    if path.is_absolute() and ".." not in PurePath(place).parts and place.endswith(name):
        return read_regular(path, MOST_PICTURE_BYTES)
    if place not in origin.images:
        raise FileNotFoundError(f"{place} is not there")
    return origin.images[place].read()


def thumbnail(image: Image, most: int = MOST_BYTES) -> bytes:
    """A picture as WebP of at most `most` bytes, as large as that allows.

    Raises:
        ImageError: the picture is missing, broken, or too busy for so few bytes.
    """
    picture = open_image(image)
    picture = _shrunk(picture, LARGEST)
    edge = min(PROBE, max(picture.size))
    size = len(_encoded(picture, edge))
    for _ in range(TRIES):
        edge = min(max(picture.size), max(1, int(edge * (FILLED * most / size) ** (1 / GROWTH))))
        data = _encoded(picture, edge)
        if len(data) <= most:
            return data
        size = len(data)
    raise ImageError(f"image {image.name} does not fit into {most:,} bytes")


def _encoded(picture: Pillow.Image, edge: int) -> bytes:
    data = io.BytesIO()
    _shrunk(picture, edge).save(data, "WEBP", quality=QUALITY, method=2)
    return data.getvalue()


def _shrunk(picture: Pillow.Image, edge: int) -> Pillow.Image:
    if max(picture.size) <= edge:
        return picture
    small = picture.copy()
    small.thumbnail((edge, edge), reducing_gap=2.0)
    return small


def data_uri(image: Image, most: int) -> str | None:
    """A thumbnail that can stand in a page; None if there is none."""
    try:
        return f"data:image/webp;base64,{base64.b64encode(thumbnail(image, most)).decode()}"
    except ImageError:
        return None


def data_uris(images: list[Image], most: int) -> Iterator[str | None]:
    """Thumbnails in order, made in threads."""
    with ThreadPoolExecutor() as pool:
        yield from pool.map(functools.partial(data_uri, most=most), images)


def whole_picture(image: Image) -> tuple[str, bytes]:
    """Media type and bytes of a picture as it is stored.

    Raises:
        ImageError: the picture is missing or of a kind that browsers do not show.
    """
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        data = image.read()
        with Pillow.open(io.BytesIO(data)) as picture:
            kind = FORMATS.get(picture.format or "")
    except (OSError, ValueError, UnidentifiedImageError, Pillow.DecompressionBombError) as error:
        raise ImageError(f"image {image.name} cannot be shown: {error}") from error
    if kind is None:
        raise ImageError(f"image {image.name} is of a kind that browsers do not show")
    return kind, data
