"""The members of a zip, of which some are compressed in ways that Python's own module does not know."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from mipha_eval.core.compressed import Bounded, zstandard_stream
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import open_regular

#: what a zip calls Zstandard
ZSTANDARD = 93
#: bytes of one member, unpacked, and of all together
MOST_MEMBER = 1 << 30
MOST = 16 << 30
#: a member's own head, before its name
LOCAL_HEAD = 30
LENGTHS = struct.Struct("<HH")


def read_members(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the members whose names are wanted, in the order of the zip.

    Raises:
        UserError: the file is no zip or a broken one, too much comes out of it, or nothing here unpacks it.
    """
    try:
        with open_regular(path) as file, ZipFile(file) as archive:
            total = 0
            for info in archive.infolist():
                if wanted(info.filename):
                    total += info.file_size
                    if info.file_size > MOST_MEMBER or total > MOST:
                        raise UserError(f"{path}: {info.filename} unpacks to more than is read")
                    yield info.filename, _unpacked(file, archive, info)
    except (OSError, BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def _unpacked(file: IO[bytes], archive: ZipFile, info: ZipInfo) -> bytes:
    if info.compress_type != ZSTANDARD:
        return archive.read(info)
    file.seek(info.header_offset)
    head = file.read(LOCAL_HEAD)
    if len(head) < LOCAL_HEAD:
        raise BadZipFile(f"{info.filename} is cut short")
    name, extra = LENGTHS.unpack(head[LOCAL_HEAD - LENGTHS.size :])
    file.seek(info.header_offset + LOCAL_HEAD + name + extra)
    packed = io.BytesIO(file.read(info.compress_size))
    data = io.BufferedReader(Bounded(*zstandard_stream(packed, MOST_MEMBER))).read()
    if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
        raise BadZipFile(f"{info.filename} is damaged")
    return data
