"""Another question's picture in place of each."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from mipha_eval.core.errors import RequestError
from mipha_eval.core.types import Image
from mipha_eval.data.images import ImageError

SEED = 0


class ShuffledImages:
    """A benchmark's pictures in a ring, in an order drawn with a fixed seed: in place of each stands the next.

    So questions about one picture get one picture, every picture is shown, and no question sees one of its own. Where the
    next is one of these, has the bytes of one, or cannot be read, it is the one behind.
    """

    def __init__(self, name: str, images: Iterable[Image]) -> None:
        """`name` is the benchmark's; `images` are all of its pictures, in any order."""
        distinct = sorted({image.location: image for image in images}.values(), key=lambda each: (each.name, each.location))
        random.Random(SEED).shuffle(distinct)
        self._name, self._ring = name, distinct
        self._places = {image.location: place for place, image in enumerate(distinct)}

    def in_place_of(self, shown: Sequence[Image]) -> tuple[Image, ...]:
        """For all pictures of a question, under their names, which are what tells questions apart."""
        among = " and ".join(image.location for image in shown)
        return tuple(
            [
                dataclasses.replace(
                    image,
                    location=f"shuffled in {self._name}:{image.location}{f' of {among}' if len(shown) > 1 else ''}",
                    read=partial(self._other, image, shown),
                )
                for image in shown
            ]
        )

    def _other(self, image: Image, shown: Sequence[Image]) -> bytes:
        """The bytes of another picture than those that are `shown`. Raises OSError if one of these cannot be read, and
        ImageError if there is no other.
        """
        own = {each.read() for each in shown}
        found = next((data for data in self._behind(image) if data not in own), None)
        if found is None:
            raise ImageError(f"no other picture of {self._name} can stand in place of {image.name}")
        return found

    def _behind(self, image: Image) -> Iterator[bytes]:
        """The pictures that follow in the ring, once around."""
        place = self._places.get(image.location, 0)
        for other in (*self._ring[place + 1 :], *self._ring[:place]):
            try:
                yield other.read()
            except (OSError, ValueError, RequestError):
                continue
