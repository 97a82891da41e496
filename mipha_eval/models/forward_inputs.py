"""Arguments of a network's forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from torch import Tensor
from transformers.utils.generic import ModelOutput

from mipha_eval.core.types import Request

#: what a vision tower made of images, under the name that transformers gives it
ImageFeatures: TypeAlias = Mapping[str, ModelOutput]

#: arguments by name: tensors, and features of images in place of their pixels
ForwardInputs: TypeAlias = Mapping[str, Tensor | ImageFeatures]

#: from requests to arguments
InputsOf: TypeAlias = Callable[[Sequence[Request]], ForwardInputs]


def tensor_of(inputs: ForwardInputs, name: str) -> Tensor | None:
    """An argument that is a tensor; None where it is not given."""
    value = inputs.get(name)
    return value if isinstance(value, Tensor) else None


def left_padding(inputs: ForwardInputs) -> list[int]:
    """How many places of each prompt are padding; empty where nothing says so."""
    mask = tensor_of(inputs, "attention_mask")
    return [] if mask is None else [int(count) for count in (mask == 0).sum(dim=-1)]
