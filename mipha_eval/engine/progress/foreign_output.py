"""What libraries and programs write to the terminal while rows of progress stand there."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

STREAMS = 1, 2

#: where the streams lead to in truth while they are taken, by their numbers
_kept: dict[int, int] = {}


class ForeignOutput:
    """While it is taken, standard output and error that lead to a terminal lead to a file instead, whoever writes there:
    a library written in C, a program that inherited them.

    It is a file rather than a pipe, so that nobody who writes ever waits for us. If the process dies, the file stays, with
    what was said last.
    """

    def __init__(self) -> None:
        self._name = ""
        self._file = -1
        self._read = 0
        self._part = b""

    def take(self) -> int:
        """From now on. Returns a descriptor of standard error as it was."""
        import tempfile

        _flush()
        self._file, self._name = tempfile.mkstemp(".txt", "mipha-eval-said-")
        os.set_inheritable(self._file, False)
        writer = os.open(self._name, os.O_WRONLY | os.O_APPEND)
        _kept.update({stream: os.dup(stream) for stream in STREAMS if os.isatty(stream)})
        for stream in _kept:
            os.dup2(writer, stream)
        os.close(writer)
        return _kept.get(2, 2)

    def lines(self) -> str:
        """The whole lines that came since the last time; a part of one that grows no more, too: somebody may be asking."""
        said = self._news()
        whole = said[: said.rfind(b"\n") + 1]
        part = said[len(whole) :]
        waiting, self._part = part == self._part, part
        taken = said if waiting else whole
        self._read += len(taken)
        return taken.decode(errors="replace")

    def give_back(self) -> str:
        """The streams are as they were. Returns what came since the last time."""
        _flush()
        while _kept:
            stream, true = _kept.popitem()
            os.dup2(true, stream)
            os.close(true)
        rest = self._news()
        os.close(self._file)
        Path(self._name).unlink(missing_ok=True)
        return rest.decode(errors="replace")

    def _news(self) -> bytes:
        return os.pread(self._file, os.fstat(self._file).st_size - self._read, self._read)


def _flush() -> None:
    """Where there is no room, or nobody who reads, the terminal is given back all the same."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()


def true_stderr() -> int:
    """The descriptor by which a last word reaches the terminal, whatever stands there."""
    return _kept.get(2, 2)
