"""Another question's picture in place of each."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable, Iterator
from functools import partial

from mipha_eval.core.errors import RequestError
from mipha_eval.core.types import Image
from mipha_eval.data.images import ImageError

SEED = 0


class ShuffledImages:
    """A benchmark's pictures in a ring, in an order drawn with a fixed seed: in place of each stands the next.

    So questions about one picture get one picture, every picture is shown, and none is its own. Where the next has the same
    bytes, or cannot be read, it is the one behind.
    """

    def __init__(self, name: str, images: Iterable[Image]) -> None:
        """`name` is the benchmark's; `images` are all of its pictures, in any order."""
        distinct = sorted({image.location: image for image in images}.values(), key=lambda each: (each.name, each.location))
        random.Random(SEED).shuffle(distinct)
        self._name, self._ring = name, distinct
        self._places = {image.location: place for place, image in enumerate(distinct)}

    def in_place_of(self, image: Image) -> Image:
        """Under the name of `image`, which is what tells questions apart."""
        return dataclasses.replace(
            image, location=f"shuffled in {self._name}:{image.location}", read=partial(self._other, image)
        )

    def _other(self, image: Image) -> bytes:
        """The bytes of another picture. Raises OSError if `image` itself cannot be read, ImageError if there is no other."""
        own = image.read()
        return next((data for data in self._behind(image) if data != own), None) or self._none(image)

    def _behind(self, image: Image) -> Iterator[bytes]:
        place = self._places.get(image.location, 0)
        for other in (*self._ring[place + 1 :], *self._ring[:place]):
            try:
                yield other.read()
            except (OSError, ValueError, RequestError):
                continue

    def _none(self, image: Image) -> bytes:
        raise ImageError(f"no other picture of {self._name} can stand in place of {image.name}")
