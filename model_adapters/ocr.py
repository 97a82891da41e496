"""A floor: the text that is in the picture, read by RapidOCR, whatever was asked; for benchmarks about text."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Image, Request, Response
from mipha_eval.data.images import ImageError, open_image

if TYPE_CHECKING:
    import numpy as np

PACKAGES = ("rapidocr", "onnxruntime")
INSTALL = "pip install 'mipha-eval[ocr]'"
#: it says of every picture what it does, on handlers of its own
QUIET = {"Global.log_level": "critical"}


@dataclass(frozen=True)
class Ocr(ModelAdapter):
    """Option: `lines`, ``all`` for all that is read in its order, ``largest`` for the line with the highest letters.

    The networks come with the package (PP-OCR, small, 31 MB); nothing is downloaded. Where nothing is read the answer is
    empty.
    """

    name: ClassVar[str] = "ocr"
    floor: ClassVar[bool] = True
    heeds: ClassVar[frozenset[str]] = frozenset()

    lines: Literal["all", "largest"] = "all"

    @cached_property
    def engine(self) -> Callable[[np.ndarray], Any]:
        """RapidOCR. Raises UserError if the extra is not installed."""
        try:
            import onnxruntime  # noqa: F401 - RapidOCR takes it for granted
            from rapidocr import RapidOCR
        except ImportError as error:
            raise UserError(f"model ocr needs RapidOCR and ONNX Runtime ({error.name} is missing): {INSTALL}") from error
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        threads = {"EngineConfig.onnxruntime.intra_op_num_threads": int(os.environ.get("OMP_NUM_THREADS") or -1)}
        engine: Callable[[np.ndarray], Any] = RapidOCR(params={**QUIET, **threads})
        return engine

    def load(self) -> None:
        _ = self.engine

    def describe(self) -> JsonObject:
        return {package: _version(package) for package in PACKAGES}

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
        """The lines of a picture, each with its height in pixels. Raises ImageError."""
        import numpy as np

        found = self.engine(np.asarray(open_image(image))[:, :, ::-1])  # BGR, as OpenCV has it
        if found.txts is None:
            return []
        heights = [float(np.linalg.norm(box[3] - box[0])) for box in found.boxes]
        return list(zip(found.txts, heights, strict=True))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
