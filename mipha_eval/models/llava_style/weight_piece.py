"""What becomes of a stored weight: the modules' names that it fills, and how."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from torch import Tensor

#: from a stored weight to a module's, also on the meta device, where only shapes are known
Transform = Callable[[Tensor], Tensor]

#: module's name -> how it is made of the stored weight
Pieces = Mapping[str, Transform]


def whole(name: str) -> Pieces:
    """A weight that is stored as the module has it."""
    return {name: lambda weight: weight}


def cut(names: Sequence[str]) -> Pieces:
    """A weight that holds several, one after the other along its first axis, equally long."""
    return {name: partial(_chunk, parts=len(names), part=part) for part, name in enumerate(names)}


def _chunk(weight: Tensor, parts: int, part: int) -> Tensor:
    return weight.chunk(parts)[part]


def renamed(name: str, changes: Sequence[tuple[str, str]]) -> str:
    """A name after all changes, regular expressions with their replacements, in order."""
    for pattern, replacement in changes:
        name = re.sub(pattern, replacement, name)
    return name
