"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "fault"]


@dataclass(frozen=True)
class Finding:
    """One point.

    Attributes:
        name: of the point, the same for whatever is checked.
        level: ``note`` for what is worth knowing and stops nothing, ``fault`` for what makes results wrong.
        line: what was found, in one line.
    """

    name: str
    level: Level
    line: str
