"""What a kind of projector is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

#: rows and columns of patches
Grid = tuple[int, int]


def as_many(grid: Grid) -> int:
    """As many tokens as patches."""
    return grid[0] * grid[1]


@dataclass(frozen=True, kw_only=True)
class Projector:
    """A kind of projector.

    Attributes:
        name: as people write it.
        pattern: of ``mm_projector_type``.
        build: from what the pattern found, the tower's width and the decoder's.
        tokens: of a picture that has so many patches.
        class_token: whether it takes a class token beside the patches.
    """

    name: str
    pattern: str
    build: Callable[[re.Match[str], int, int], nn.Module]
    tokens: Callable[[Grid], int] = as_many
    class_token: bool = True
