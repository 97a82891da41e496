"""Mipha's image preprocessing, as the official code does it with the image processors of its towers on Pillow.

Source: zhuyiche/llava-phi at 21dafbf, ``mipha/mm_utils.py`` (process_images, expand2square).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.data.images import MOST_PIXELS
from mipha_eval.data.rows import number_of, numbers_of, whole_of
from mipha_eval.models import square

#: what all of transformers' image processors do where a checkpoint does not say it
COMMON: JsonObject = {"rescale_factor": 1 / 255}


@dataclass(frozen=True)
class Preprocessor:
    """Settings of a checkpoint's ``preprocessor_config.json`` and its ``image_aspect_ratio``.

    Attributes:
        width, height: of what comes out.
        shortest: what the shortest edge is resized to before the middle is cut out; None where a picture is squeezed.
        crop: whether the square in its middle is cut out before all else.
    """

    width: int
    height: int
    resample: Image.Resampling
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    pad: bool
    shortest: int | None = None
    crop: bool = False

    @classmethod
    def from_settings(cls, settings: JsonObject, aspect_ratio: object, defaults: JsonObject) -> Preprocessor:
        """Reads the official settings.

        Args:
            defaults: what the image processor of the tower's family does where a setting is missing.

        Raises:
            UserError: one is missing, of a wrong kind, or switches a step off that every Mipha has.
        """
        off = [step for step in ("do_resize", "do_rescale", "do_normalize") if not settings.get(step, True)]
        if off:
            raise UserError(f"the preprocessor sets {', '.join(off)} to false, which is not supported")
        try:
            made = cls._from_settings(settings, aspect_ratio, defaults)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"preprocessor_config.json is not an image preprocessor's of this tower: {error!r}") from error
        finite = all(map(math.isfinite, (*made.mean, *made.std, made.scale)))
        sides = (made.width, made.height, made.width if made.shortest is None else made.shortest)
        positive = finite and min(*made.std, made.scale, *sides) > 0
        if len(made.mean) != 3 or len(made.std) != 3 or not positive:
            raise UserError(
                "preprocessor_config.json needs three means; size, rescale_factor and three standard deviations above 0"
            )
        return made

    @classmethod
    def _from_settings(cls, settings: JsonObject, aspect_ratio: object, defaults: JsonObject) -> Preprocessor:
        given = {**COMMON, **defaults, **{name: value for name, value in settings.items() if value is not None}}
        crops = "crop_size" in defaults
        size = _size(given["size"], "shortest_edge" if crops else "")
        shortest = whole_of(size, "shortest_edge") if "shortest_edge" in size else None
        cropped = crops and given.get("do_center_crop", True)
        if cropped:
            size = _size(given["crop_size"])
        elif shortest is not None and aspect_ratio == "pad":
            size = {"height": shortest, "width": shortest}  # a square stays one
        return cls(
            width=whole_of(size, "width"),
            height=whole_of(size, "height"),
            resample=Image.Resampling(whole_of(given, "resample")),
            scale=float(number_of(given, "rescale_factor")),
            mean=tuple(map(float, numbers_of(given, "image_mean"))),
            std=tuple(map(float, numbers_of(given, "image_std"))),
            pad=aspect_ratio == "pad",
            shortest=shortest,
        )

    def __call__(self, image: Image.Image, padded: bool = True) -> np.ndarray:
        """RGB picture to pixels [3, height, width], float32.

        Args:
            padded: false leaves out the padding that the checkpoint asks for.

        Raises:
            RequestError: it is too large.
        """
        if self.pad and padded:
            image = square.padded(image, self.mean)
        elif self.crop:
            image = square.cropped(image)
        resized = np.asarray(self._resized(image))
        scaled = (resized * self.scale).astype(np.float32)
        normal = (scaled - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(normal.transpose(2, 0, 1))

    def _resized(self, image: Image.Image) -> Image.Image:
        """Squeezed to the size; or the shortest edge resized and the middle cut out, with black where there is nothing."""
        if self.shortest is None:
            return image.resize((self.width, self.height), self.resample)
        short, long = sorted(image.size)
        longer = int(self.shortest * long / short)
        if longer * self.shortest > MOST_PIXELS:
            raise RequestError(f"an image of {image.width} x {image.height} is too long and narrow to be resized")
        size = (self.shortest, longer) if image.width <= image.height else (longer, self.shortest)
        image = image.resize(size, self.resample)
        left, top = (image.width - self.width) // 2, (image.height - self.height) // 2
        return image.crop((left, top, left + self.width, top + self.height))


def _size(given: Json, edge: str = "") -> JsonObject:
    """A size as an object; a number is the length of `edge`, or of both sides."""
    if isinstance(given, Mapping):
        return given
    length = whole_of({"size": given}, "size")
    return {edge: length} if edge else {"height": length, "width": length}
