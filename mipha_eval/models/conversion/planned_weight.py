"""A weight that is to be written: what a file's header says of it, before anything is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mipha_eval.models.pickled import DTYPES

#: safetensors' words for torch's types, those among them that torch's own files do not come with
TYPES = {word: kind for kind, word in DTYPES.items()} | {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}


@dataclass(frozen=True)
class PlannedWeight:
    """A weight of a file to be.

    Attributes:
        dtype: in safetensors' words.
        make: reads it; what it gives is not kept.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    make: Callable[[], Tensor]

    @property
    def item_bytes(self) -> int:
        """Bytes of one of its numbers. Raises KeyError for a type that torch has not."""
        return TYPES[self.dtype].itemsize

    @property
    def bytes(self) -> int:
        """Bytes in the file."""
        return math.prod(self.shape) * self.item_bytes
