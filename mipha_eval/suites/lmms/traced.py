"""Which of a document's stored pictures are shown, found out without decoding one.

lmms-eval's ``doc_to_visual`` is handed stand-ins. Most of that code does nothing with a picture but convert it; whatever
else is asked of a stand-in shows that the pictures themselves are needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from PIL import Image as Pillow

#: a row of a data set
Row: TypeAlias = dict[str, Any]


class TouchedError(Exception):
    """Something was asked of a picture that only the picture itself can answer."""


class StandIn:
    """A picture that is not decoded.

    Attributes:
        stand_in_for: a digest of its file.
        stand_in_modes: what it was converted to, one after the other.
    """

    def __init__(self, digest: str, modes: tuple[str, ...] = ()) -> None:
        self.stand_in_for, self.stand_in_modes = digest, modes

    @property  # type: ignore[misc]  # code may ask whether it is a picture
    def __class__(self) -> type:
        return Pillow.Image

    def convert(self, mode: object = None, *more: object, **named: object) -> StandIn:
        """Raises TouchedError for more than another mode."""
        if not isinstance(mode, str) or more or named:
            raise TouchedError
        return StandIn(self.stand_in_for, (*self.stand_in_modes, mode))

    def __getattr__(self, name: str) -> Any:
        raise TouchedError(name)


class Rows:
    """The rows of a data set, with stand-ins for their pictures."""

    def __init__(self, dataset: Any) -> None:
        from datasets import Image as ImageFeature
        from datasets import List

        self.decoded = dataset
        self._stored, self._pictures = dataset, []
        stored = ImageFeature(decode=False)
        for column, feature in dataset.features.items():
            listed = isinstance(getattr(feature, "feature", None), ImageFeature)
            if isinstance(feature, ImageFeature) or listed:
                self._pictures.append(column)
                self._stored = self._stored.cast_column(column, List(stored) if listed else stored)

    def traced(self, number: int) -> Row:
        """A row with stand-ins. Raises TouchedError for a picture whose file is not in the row."""
        row: dict[str, Any] = self._stored[number]
        return {**row, **{column: _traced(row[column]) for column in self._pictures}}


def _traced(cell: object) -> object:
    if isinstance(cell, list):
        return [_traced(each) for each in cell]
    if not isinstance(cell, Mapping):
        return cell
    data = cell.get("bytes")
    if not isinstance(data, bytes):
        raise TouchedError("path")
    return StandIn(hashlib.blake2b(data, digest_size=10).hexdigest())


def names_shown(rows: Rows, number: int, visual: Callable[[Any], Sequence[object] | None]) -> list[str] | None:
    """Names of the pictures that a row shows, which equal ones share; None if they have to be decoded to tell."""
    try:
        shown = visual(rows.traced(number))
    except Exception:  # whatever stand-ins lead to
        return None
    names = []
    for each in shown or ():
        if type(each) is not StandIn:
            return None
        names.append("-".join([each.stand_in_for, *each.stand_in_modes]))
    return names
