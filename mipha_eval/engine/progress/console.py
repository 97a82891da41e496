"""The terminal that messages and rows of progress share."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_shared: list[Console] = []


def error_console() -> Console:
    """Standard error as a terminal; what is printed stands above rows of progress if there are any."""
    return _shared[-1] if _shared else _plain_console()


def rows_are_shown() -> bool:
    """Whether rows of progress stand on the terminal now."""
    return bool(_shared)


@contextmanager
def messages_on(console: Console) -> Iterator[None]:
    """While entered, this is the terminal of messages."""
    _shared.append(console)
    try:
        yield
    finally:
        _shared.remove(console)


@functools.cache
def _plain_console() -> Console:
    from rich.console import Console

    return Console(stderr=True)
