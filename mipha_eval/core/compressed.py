"""Files that were compressed with gzip or Zstandard, told by their first bytes and read as if they were not."""

from __future__ import annotations

import gzip
import importlib
import io
import zlib
from typing import IO

GZIP = b"\x1f\x8b"
ZSTANDARD = b"\x28\xb5\x2f\xfd"
#: modules that read Zstandard, best first: of Python 3.14, its twin for older ones, and the older package
READERS = ("compression.zstd", "backports.zstd", "zstandard")


class Bounded(io.RawIOBase):
    """A stream that fails beyond a number of bytes, since a small file may hold a text without end."""

    def __init__(self, stream: IO[bytes], most: int, broken: type[Exception] = zlib.error) -> None:
        self._stream, self._most, self._broken, self._read = stream, most, broken, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        try:
            data = self._stream.read(len(view))
        except (EOFError, self._broken) as error:
            raise OSError(f"it is compressed, and broken: {error}") from error
        self._read += len(data)
        if self._read > self._most:
            raise OSError(f"it is compressed, and holds more than {self._most:,} bytes")
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def plain(file: IO[bytes], most: int) -> IO[bytes]:
    """What a file holds, at its first byte: itself, or what was compressed.

    Args:
        most: bytes that may come out.

    Raises:
        OSError: it is of Zstandard, and no module here reads that; while reading: it is broken, or holds more.
    """
    head = file.read(len(ZSTANDARD))
    file.seek(0)
    if head.startswith(GZIP):
        return io.BufferedReader(Bounded(gzip.GzipFile(fileobj=file), most))  # type: ignore[arg-type]
    if head == ZSTANDARD:
        return io.BufferedReader(Bounded(*zstandard_stream(file, most)))
    return file


def zstandard_stream(file: IO[bytes], most: int) -> tuple[IO[bytes], int, type[Exception]]:
    """What `Bounded` takes for a Zstandard stream. Raises OSError if no module here reads one."""
    for name in READERS:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        if name == "zstandard":
            return module.ZstdDecompressor().stream_reader(file, read_across_frames=True), most, module.ZstdError
        return module.ZstdFile(file), most, module.ZstdError
    raise OSError(
        "it is compressed with Zstandard, which nothing here reads: pip install backports.zstd, or unpack it first"
    )
