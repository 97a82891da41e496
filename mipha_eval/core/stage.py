"""What the program is at and how far: said where it is done, shown by whoever shows progress, see `engine.progress`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BYTES = "B"

_under_way: list[Stage] = []


@dataclass(eq=False)
class Stage:
    """Something that takes a while.

    Attributes:
        doing: what, as ``loading mipha-3b``.
        total: how much there is to do; 0 where nobody knows.
        unit: of both numbers; without one they are shown as a percentage.
        began: seconds of `time.monotonic`.
    """

    doing: str
    total: float = 0.0
    unit: str = ""
    done: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def advance(self, amount: float = 1.0) -> None:
        self.done += amount

    def begin(self) -> None:
        _under_way.append(self)

    def end(self) -> None:
        """It may have ended before."""
        if self in _under_way:
            _under_way.remove(self)


@contextmanager
def stage(doing: str, total: float = 0.0, unit: str = "") -> Iterator[Stage]:
    """While entered, this is under way, within whatever was before."""
    found = Stage(doing, total, unit)
    found.begin()
    try:
        yield found
    finally:
        found.end()


def stages() -> list[Stage]:
    """What is under way, the outermost first."""
    return list(_under_way)
