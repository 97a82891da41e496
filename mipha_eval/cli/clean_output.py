"""Standard output that holds JSON and nothing else, whatever a plugin prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class PrintedBeside:
    """Stands in for standard output: what is printed goes to standard error, and `own` is the output itself."""

    def __init__(self, own: TextIO) -> None:
        self.own = own

    def __getattr__(self, name: str) -> object:
        return getattr(sys.stderr, name)


@contextmanager
def clean_output() -> Iterator[None]:
    """While entered, only `own_output` writes to standard output."""
    own = sys.stdout
    sys.stdout = PrintedBeside(own)
    try:
        yield
    finally:
        sys.stdout = own


def own_output() -> TextIO:
    """Standard output itself."""
    return sys.stdout.own if isinstance(sys.stdout, PrintedBeside) else sys.stdout
