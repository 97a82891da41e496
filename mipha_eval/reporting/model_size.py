"""How large a model is, in billions of parameters: a number from the record, never read from what was printed."""

from __future__ import annotations

import math
import re

from mipha_eval.store.manifest import Manifest

WRITTEN = re.compile(
    r"\s*(?P<number>(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?)\s*(?P<unit>[bm]?)\s*(\(.*\))?\s*", re.IGNORECASE | re.DOTALL
)
#: a size in a model's name, such as ``7b`` in ``llava-1.5-7b``; no part of a number with an exponent
NAMED = re.compile(r"(?<![a-z0-9.])(?<!\de[+-])\d+(\.\d+)?[bm](?![a-z0-9])", re.IGNORECASE)


def billions(size: object) -> float | None:
    """Billions of parameters, of a number or of a text that says nothing else; None where there is no such number.

    Args:
        size: of a model's manifest, a published record or the command line, such as ``3``, ``440M``, ``8.56e-05`` or
            ``2.0 (activated)``.
    """
    if isinstance(size, bool) or not isinstance(size, str | int | float):
        return None
    found = WRITTEN.fullmatch(size) if isinstance(size, str) else None
    if isinstance(size, str) and found is None:
        return None
    number = float(size) if found is None else float(found["number"]) / (1000 if found["unit"] in ("M", "m") else 1)
    return number if 0 < number < math.inf else None


def noted_size(manifest: Manifest) -> float | None:
    """What a run noted of its model."""
    return billions(manifest.about.get("parameters"))


def named_size(name: str) -> float | None:
    """What a model's name says, if it says anything."""
    found = NAMED.search(name)
    return billions(found[0]) if found else None
