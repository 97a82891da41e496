"""Standard output and standard error that can be written to, whatever stands behind them.

A full disk, a reader that has gone, a descriptor that is closed: a line that cannot be written ends no work, whoever prints
it, a verb, a plugin or a library. What was lost of standard output is told once, at the program's end. All other files
raise their errors as ever.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STREAMS = 0, 1, 2

#: what a stream says to a character that its encoding lacks if nobody chose it
BY_DEFAULT = "strict", "surrogateescape"

#: standard output as it is held, with its outlet
_held: list[tuple[TextIO, Outlet]] = []


class Outlet(io.FileIO):
    """A descriptor that takes all that is written.

    Attributes:
        lost: why what was written since went nowhere; None while all of it has been written.
    """

    def __init__(self, number: int, *, is_open: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self._is_open = is_open
        self.lost: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Writes all of it, however long that takes, or notes why it cannot be. Returns the number of bytes."""
        rest = whole = memoryview(data).cast("B")
        try:
            while rest and self.lost is None:
                rest = rest[self._written(rest) :]
        except OSError as error:
            self.lost = error
        return len(whole)

    def _written(self, data: memoryview) -> int:
        if not self._is_open:
            raise OSError(errno.EBADF, "it is closed")
        done: int | None = super().write(data)
        if done is None:  # somebody else made the terminal one that nobody waits for
            select.select((), (self.fileno(),), ())
        return done or 0


def hold_standard_streams() -> None:
    """From now on writing to the process's own standard streams raises nothing; what they cannot encode is escaped.

    To be called before any file is opened, which would get the number of a stream that is closed.
    """
    are_open = _reserve_numbers()
    if sys.stdout is sys.__stdout__:
        sys.stdout, outlet = _stream(sys.__stdout__, 1, is_open=are_open[1])
        _held.append((sys.stdout, outlet))
    if sys.stderr is sys.__stderr__:
        sys.stderr, _ = _stream(sys.__stderr__, 2, is_open=are_open[2])


def lost_output() -> OSError | None:
    """Why standard output, or a part of it, could not be written; None if all that was printed has been."""
    for stream, outlet in _held:
        if not stream.closed:
            stream.flush()
        return outlet.lost
    return None


def _reserve_numbers() -> list[bool]:
    """Whether each stream was open; those that were not lead nowhere now."""
    are_open = [_is_open(number) for number in STREAMS]
    for number in (number for number, is_open in zip(STREAMS, are_open, strict=True) if not is_open):
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
        os.set_inheritable(number, True)
    return are_open


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _stream(before: TextIO | None, number: int, *, is_open: bool) -> tuple[TextIO, Outlet]:
    """A stream like the one before, by way of an outlet."""
    outlet = Outlet(number, is_open=is_open)
    if not isinstance(before, io.TextIOWrapper):  # None: it is closed
        return io.TextIOWrapper(io.BufferedWriter(outlet), "utf-8", "backslashreplace"), outlet
    stream = io.TextIOWrapper(
        outlet if before.write_through else io.BufferedWriter(outlet),
        before.encoding,
        "backslashreplace" if before.errors in BY_DEFAULT else before.errors,
        line_buffering=before.line_buffering,
        write_through=before.write_through,
    )
    return stream, outlet
