"""Pictures that a cell of a table names or holds."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mipha_eval.core.data_source import ImageFolder
from mipha_eval.core.types import Image
from mipha_eval.data.question_table.cells import listed_in, shown

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
#: how the bytes of pictures begin: PNG, JPEG, GIF, BMP, WebP, TIFF
BEGINNINGS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\x00", b"MM\x00*")
HEAD = 16  # characters of base64 that are looked at


@dataclass(frozen=True)
class Pictures:
    """Makes images of cells.

    Attributes:
        table: what it is called.
        folder: where names of files begin; None where none may be.
    """

    table: str
    folder: ImageFolder | None

    def of_cell(self, value: object, kept: Callable[[int], bytes] | None = None) -> tuple[Image, ...]:
        """The pictures of a cell: of a name, base64, bytes, the hub's image type, or a list of these; nothing for none.

        Args:
            kept: reads the bytes of the cell's n-th picture again, where they need not be kept in memory.

        Raises:
            ValueError: it is none of these, or an address on the network.
        """
        if value is None:
            return ()
        if isinstance(value, str) and value.lstrip().startswith("["):
            value = listed_in(value)
        cells = value if isinstance(value, list | tuple) else [value]
        return tuple(self._found(cells, kept))

    def _found(self, cells: list[object] | tuple[object, ...], kept: Callable[[int], bytes] | None) -> Iterator[Image]:
        for number, cell in enumerate(cells):
            if cell not in (None, ""):
                yield self._image(cell, partial(kept, number) if kept else None)

    def _image(self, cell: object, kept: Callable[[], bytes] | None) -> Image:
        cell = _content(cell)
        if isinstance(cell, bytes):
            return self._held(cell, kept)
        if not isinstance(cell, str):
            raise ValueError(f"its picture {shown(cell)} is neither the name of a file nor base64")
        if cell.startswith("data:"):
            return self._held(_decoded(cell.partition(",")[2]), kept)
        if ADDRESS.match(cell):
            raise ValueError(f"its picture {shown(cell)} is an address; nothing is downloaded, so it needs a file")
        if _is_base64(cell):
            return self._held(_decoded(cell), kept)
        if self.folder is None:
            raise ValueError(f"its picture {shown(cell)} is the name of a file, but there is no folder with files")
        return self.folder.image(self._below(self.folder.folder, cell))

    def _held(self, data: bytes, kept: Callable[[], bytes] | None) -> Image:
        """A picture under a name that equal ones share."""
        name = hashlib.blake2b(data, digest_size=10).hexdigest()
        return Image(name, f"{self.table}#{name}", kept or partial(_as_it_is, data))

    @staticmethod
    def _below(folder: Path, name: str) -> str:
        """A name within the folder, where it is written as a whole path."""
        if not name.startswith(("/", "\\")) and ":" not in name:  # nearly all, a million times
            return name
        path = Path(name)
        return str(path.relative_to(folder)) if path.is_absolute() and path.is_relative_to(folder) else name


def held_bytes(value: object, number: int) -> bytes:
    """The bytes of a cell's n-th picture. Raises OSError where there are none any more."""
    cells = value if isinstance(value, list | tuple) else [value]
    found = _content(cells[number]) if number < len(cells) else None
    if isinstance(found, str):
        return _decoded(found.rpartition(",")[2])
    if not isinstance(found, bytes):
        raise OSError("the row has no picture any more")
    return found


def _content(cell: object) -> object:
    """Of the hub's image type its bytes, else the name of its file."""
    if not isinstance(cell, Mapping):
        return cell
    data = cell.get("bytes")
    return data if data is not None else cell.get("path")


def _as_it_is(data: bytes) -> bytes:
    return data


def _is_base64(cell: str) -> bool:
    """Whether a text is a picture in base64, which has no full stops, and not the name of one."""
    try:
        head = base64.b64decode(cell[:HEAD], validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(cell) > HEAD and head.startswith(BEGINNINGS)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"its picture {shown(text)} is no base64: {error}") from None
