"""Mipha's image preprocessing, as the official code does it with the SigLIP image processor on Pillow.

Source: zhuyiche/llava-phi at 21dafbf, ``mipha/mm_utils.py`` (process_images, expand2square).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.images import MOST_PIXELS
from mipha_eval.data.rows import number_of, numbers_of, object_of, whole_of

#: what transformers' SiglipImageProcessor does where a checkpoint does not say it
SIGLIP: JsonObject = {
    "size": {"height": 224, "width": 224},
    "resample": Image.Resampling.BICUBIC,
    "rescale_factor": 1 / 255,
    "image_mean": (0.5, 0.5, 0.5),
    "image_std": (0.5, 0.5, 0.5),
}


@dataclass(frozen=True)
class Preprocessor:
    """Settings of a checkpoint's ``preprocessor_config.json`` and its ``image_aspect_ratio``."""

    width: int
    height: int
    resample: Image.Resampling
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    pad: bool

    @classmethod
    def from_settings(cls, settings: JsonObject, aspect_ratio: object) -> Preprocessor:
        """Reads the official settings; one that is missing is what it is in transformers' SiglipImageProcessor.

        Raises:
            UserError: one is missing, of a wrong kind, or switches a step off that every Mipha has.
        """
        off = [step for step in ("do_resize", "do_rescale", "do_normalize") if not settings.get(step, True)]
        if off:
            raise UserError(f"the preprocessor sets {', '.join(off)} to false, which is not supported")
        try:
            made = cls._from_settings(settings, aspect_ratio)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"preprocessor_config.json is not a SigLIP preprocessor's: {error!r}") from error
        finite = all(map(math.isfinite, (*made.mean, *made.std, made.scale)))
        positive = min(*made.std, made.scale, made.width, made.height) > 0 if finite else False
        if len(made.mean) != 3 or len(made.std) != 3 or not positive:
            raise UserError(
                "preprocessor_config.json needs three means; size, rescale_factor and three standard deviations above 0"
            )
        return made

    @classmethod
    def _from_settings(cls, settings: JsonObject, aspect_ratio: object) -> Preprocessor:
        given = {**SIGLIP, **{name: value for name, value in settings.items() if value is not None}}
        size = object_of(given, "size")
        return cls(
            width=whole_of(size, "width"),
            height=whole_of(size, "height"),
            resample=Image.Resampling(whole_of(given, "resample")),
            scale=float(number_of(given, "rescale_factor")),
            mean=tuple(map(float, numbers_of(given, "image_mean"))),
            std=tuple(map(float, numbers_of(given, "image_std"))),
            pad=aspect_ratio == "pad",
        )

    def __call__(self, image: Image.Image) -> np.ndarray:
        """RGB picture to pixels [3, height, width], float32. Raises RequestError if it is too large."""
        if self.pad and max(image.size) ** 2 > MOST_PIXELS:
            raise RequestError(f"an image of {image.width} x {image.height} is too large to be padded to a square")
        if self.pad:
            image = self._squared(image)
        resized = np.asarray(image.resize((self.width, self.height), self.resample))
        scaled = (resized * self.scale).astype(np.float32)
        normal = (scaled - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(normal.transpose(2, 0, 1))

    def _squared(self, image: Image.Image) -> Image.Image:
        """Centres the picture on a square of the mean colour."""
        width, height = image.size
        side = max(width, height)
        if width == height:
            return image
        square = Image.new("RGB", (side, side), tuple(int(value * 255) for value in self.mean))
        square.paste(image, ((side - width) // 2, (side - height) // 2))
        return square
