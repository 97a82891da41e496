"""Pictures that lmms-eval shows with a question, as images of this engine."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PIL import Image as Pillow

from mipha_eval.core.types import Image
from mipha_eval.suites.lmms.traced import Rows, names_shown

#: gives the pictures of a question again
Again = Callable[[], Sequence[object]]
#: ``doc_to_visual``: what is shown with a document
Visual = Callable[[Any], Sequence[object] | None]


class NoPictureError(ValueError):
    """Something that is shown with a question and is no picture."""


def images_of_row(rows: Rows, number: int, visual: Visual | None, place: str) -> tuple[Image, ...]:
    """The pictures of a document; decoded when they are read, and not kept.

    Args:
        place: what their locations begin with.

    Raises:
        NoPictureError: one is none, such as the path of a video.
    """
    if visual is None:
        return ()

    def again() -> Sequence[object]:
        return list(visual(rows.decoded[number]) or ())

    names = names_shown(rows, number, visual)
    return images_of(again(), again, place) if names is None else _images(names, again, place)


def images_of(shown: Sequence[object], again: Again, place: str) -> tuple[Image, ...]:
    """Images of decoded pictures, which are not kept: whoever reads one has it made again. Raises NoPictureError."""
    return _images([_digest(_picture(each)) for each in shown], again, place)


def _images(names: Sequence[str], again: Again, place: str) -> tuple[Image, ...]:
    return tuple(Image(name, f"{place}#{name}", partial(_png, again, number)) for number, name in enumerate(names))


def _picture(shown: object) -> Pillow.Image:
    if isinstance(shown, Pillow.Image):
        return shown
    what = f"{shown!r:.60}" if isinstance(shown, str) else f"a {type(shown).__name__}"
    raise NoPictureError(f"it is shown {what}, which is no picture")


def _digest(picture: Pillow.Image) -> str:
    """A name that equal pixels share."""
    found = hashlib.blake2b(f"{picture.mode} {picture.size}".encode(), digest_size=10)
    found.update(picture.tobytes())
    return found.hexdigest()


def _png(again: Again, number: int) -> bytes:
    """The file of a picture, without loss. Raises OSError where it is no longer there."""
    pictures = again()
    if number >= len(pictures):
        raise OSError("the question has no such picture any more")
    picture = _picture(pictures[number])
    picture = picture if picture.mode in ("RGB", "L", "RGBA") else picture.convert("RGB")
    written = io.BytesIO()
    picture.save(written, "PNG", compress_level=1)
    return written.getvalue()
