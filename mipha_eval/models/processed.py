"""What a processor makes of prompts and pictures."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Protocol, cast

import numpy as np
from torch import Tensor

from mipha_eval.core.errors import RequestError

#: names of what a processor says of each token beside its id: 0 for text
KINDS = ("mm_token_type_ids", "token_type_ids")


class ImageProcessor(Protocol):
    """An image processor of transformers, or what stands in for one."""

    def __call__(self, *pictures: object, **settings: object) -> Mapping[str, object]:
        """Tensors and the like by name."""


class Preprocessed:
    """Stands in for an image processor that is asked about the same pictures again and again: it works once.

    Attributes:
        names: of what it made.
    """

    def __init__(self, real: ImageProcessor) -> None:
        self._real = real
        self._made: Mapping[str, object] | None = None
        self.names: frozenset[str] = frozenset()

    def __call__(self, *pictures: object, **settings: object) -> Mapping[str, object]:
        if self._made is None:
            self._made = self._real(*pictures, **settings)
            bare = isinstance(self._made, Tensor)  # its name is the processor's to give
            self.names = frozenset(getattr(self._real, "model_input_names", ()) if bare else self._made)
        return copy.copy(self._made)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def tensors_of(made: Mapping[str, object]) -> dict[str, Tensor]:
    """All that a processor made. Raises RequestError for what is no tensor: left out, it could change an answer."""
    tensors = {name: value for name, value in made.items() if isinstance(value, Tensor)}
    odd = [name for name in made if name not in tensors]
    if odd:
        raise RequestError(f"the processor makes {', '.join(odd)} in a form that is not understood here")
    return tensors


def first_row(value: object) -> list[int]:
    """The first row of what a processor gives as lists, an array or a tensor."""
    if isinstance(value, Tensor | np.ndarray):
        row: list[int] = value[0].tolist()
        return row
    return list(cast(Sequence[Sequence[int]], value)[0])


def is_plain(name: str, value: object, kinds: Tensor | None, length: int) -> bool:
    """Whether an input beside ids says no more of a prompt's tokens than its head's: none is masked, the rest is text."""
    if name == "attention_mask":
        return all(first_row(value))
    if name not in KINDS or kinds is None:
        return False
    row = first_row(value)
    return row[:length] == kinds[0].tolist() and not any(row[length:])
