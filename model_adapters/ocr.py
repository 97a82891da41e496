"""A floor: the text that is in the picture, read by RapidOCR, whatever was asked; for benchmarks about text."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, Literal

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Image, Request, Response
from mipha_eval.data.images import ImageError, open_image

if TYPE_CHECKING:
    import numpy as np

#: (text, height in pixels) of the lines in a picture, which is given as BGR, as OpenCV has it
Reader = Callable[["np.ndarray"], list[tuple[str, float]]]

INSTALL = "pip install 'mipha-eval[ocr]'"
#: it says of every picture what it does, on handlers of its own
QUIET = {"Global.log_level": "critical"}


def _rapidocr(threads: int) -> Reader:
    from rapidocr import RapidOCR

    engine = RapidOCR(params={**QUIET, "EngineConfig.onnxruntime.intra_op_num_threads": threads})

    def read(pixels: np.ndarray) -> list[tuple[str, float]]:
        found = engine(pixels)
        return [] if found.txts is None else list(zip(found.txts, map(_height, found.boxes), strict=True))

    return read


def _rapidocr_onnxruntime(threads: int) -> Reader:
    from rapidocr_onnxruntime import RapidOCR

    engine = RapidOCR(intra_op_num_threads=threads)

    def read(pixels: np.ndarray) -> list[tuple[str, float]]:
        return [(text, _height(box)) for box, text, _ in engine(pixels)[0] or ()]

    return read


#: the package -> what makes a reader of it: RapidOCR, and what it was called before, with older networks
READERS: Mapping[str, Callable[[int], Reader]] = {
    "rapidocr": _rapidocr,
    "rapidocr_onnxruntime": _rapidocr_onnxruntime,
}


@dataclass(frozen=True)
class Ocr(ModelAdapter):
    """Option: `lines`, ``all`` for all that is read in its order, ``largest`` for the line with the highest letters.

    The networks come with the package (PP-OCR, 15 to 31 MB); nothing is downloaded. Where nothing is read the answer is
    empty.
    """

    name: ClassVar[str] = "ocr"
    floor: ClassVar[bool] = True
    heeds: ClassVar[frozenset[str]] = frozenset()

    lines: Literal["all", "largest"] = "all"

    @cached_property
    def package(self) -> str:
        """The first that is installed. Raises UserError if none is."""
        found = next((name for name in READERS if find_spec(name) is not None), None)
        if found is None:
            raise UserError(f"model ocr needs RapidOCR, which is not installed: {INSTALL}")
        return found

    @cached_property
    def reader(self) -> Reader:
        """Raises UserError if the package, or what it needs, cannot be imported."""
        try:
            import onnxruntime  # noqa: F401 - RapidOCR takes it for granted

            read = READERS[self.package](int(os.environ.get("OMP_NUM_THREADS") or -1))
        except ImportError as error:
            raise UserError(f"model ocr cannot use RapidOCR ({error}): {INSTALL}") from error
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        return read

    def load(self) -> None:
        _ = self.reader

    def describe(self) -> JsonObject:
        return {name: version(name) for name in (self.package, "onnxruntime")}

    def identity(self, request: Request) -> tuple[str, ...]:
        """Questions about one picture have one answer."""
        return tuple(image.location for image in request.images)

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        return [self._answer(request) for request in batch]

    def _answer(self, request: Request) -> Response:
        try:
            found = [line for image in request.images for line in self._read(image)]
        except ImageError as error:
            return Response.failure(str(error))
        if self.lines == "largest":
            found = [max(found, key=lambda line: line[1])] if found else []
        return Response(" ".join(text for text, _ in found))

    def _read(self, image: Image) -> list[tuple[str, float]]:
        """The lines of a picture. Raises ImageError."""
        import numpy as np

        return self.reader(np.asarray(open_image(image))[:, :, ::-1])


def _height(box: np.ndarray | Sequence[Sequence[float]]) -> float:
    """Of a line's letters, by the corners of its box: upper left, upper right, lower right, lower left."""
    import numpy as np

    return float(np.linalg.norm(np.subtract(box[3], box[0])))
