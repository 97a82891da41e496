"""The mean of a benchmark's pictures, in place of each: what a model answers to it, it knows of the benchmark at most."""

from __future__ import annotations

import dataclasses
import io
import random
import threading
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from mipha_eval.core.types import Image
from mipha_eval.data.images import ImageError, open_image

if TYPE_CHECKING:
    from PIL import Image as Pillow

SIDE = 224  # pixels; pictures are brought to a square before they are averaged
MOST = 1_000  # pictures that are averaged; of more, so many drawn ones
SEED = 0


class MeanImage:
    """The mean is computed when it is first looked at; pictures that cannot be read are left out of it."""

    def __init__(self, name: str, images: Iterable[Image]) -> None:
        """`name` is the benchmark's, since each has a mean of its own; `images` are all of its pictures."""
        distinct = sorted({image.location: image for image in images}.values(), key=lambda image: image.name)
        self._name = name
        self._images = distinct if len(distinct) <= MOST else random.Random(SEED).sample(distinct, MOST)
        self._lock = threading.Lock()  # pictures are read in threads
        self._mean: Pillow.Image | None = None

    def in_place_of(self, image: Image) -> Image:
        """The mean in the size of `image`, so that nothing of it is left but its shape."""
        return dataclasses.replace(image, location=f"mean of {self._name}:{image.location}", read=partial(self._png, image))

    def _png(self, image: Image) -> bytes:
        data = io.BytesIO()
        self.mean().resize(open_image(image).size).save(data, "PNG")
        return data.getvalue()

    def mean(self) -> Pillow.Image:
        """RGB, a square. Raises ImageError if no picture can be read."""
        with self._lock:
            if self._mean is None:
                self._mean = self._averaged()
            return self._mean

    def _averaged(self) -> Pillow.Image:
        import numpy as np
        from PIL import Image as Pillow

        total, count = np.zeros((SIDE, SIDE, 3), np.int64), 0
        for image in self._images:
            try:
                picture = open_image(image)
            except ImageError:
                continue
            total += np.asarray(picture.resize((SIDE, SIDE), Pillow.Resampling.BILINEAR), np.int64)
            count += 1
        if not count:
            raise ImageError(f"none of the {len(self._images)} pictures of {self._name} can be read, so they have no mean")
        return Pillow.fromarray(((2 * total + count) // (2 * count)).astype(np.uint8))
