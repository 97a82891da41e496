"""The class that makes a checkpoint's pictures into pixels, by the name in its settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import transformers

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject


def check_image_processor(folder: Path, saved: Iterable[JsonObject]) -> None:
    """Raises UserError for an image processor that needs a package which is not there, torchvision for many.

    Args:
        saved: settings of the checkpoint's processor, the most telling file first.
    """
    name = next(filter(None, map(_named, saved)), "").removesuffix("Fast")
    # what stands in for a class that cannot be imported tells what it needs
    missing = getattr(getattr(transformers, name, None), "_backends", ()) if name else ()
    if missing:
        packages = " ".join(map(str, missing))
        raise UserError(f"{folder} cannot see pictures: its image processor {name} needs {packages}: pip install {packages}")


def _named(settings: JsonObject) -> str:
    inner = settings.get("image_processor")
    own = inner.get("image_processor_type") if isinstance(inner, Mapping) else None
    return str(own or settings.get("image_processor_type") or "")
