"""Tensors of several prompts as one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad


def collate(parts: Sequence[Mapping[str, Tensor]], *, left: bool = False, ids: int = 0) -> dict[str, Tensor]:
    """Puts tensors of the same name together along the first axis, padded with zeros along the others.

    Args:
        left: whether the second axis, which is that of a prompt's tokens, is padded in front.
        ids: what pads ``input_ids``.
    """
    names = dict.fromkeys(name for part in parts for name in part)
    filling = {"input_ids": ids}
    return {name: _stacked([part[name] for part in parts if name in part], left, filling.get(name, 0)) for name in names}


def _stacked(tensors: Sequence[Tensor], left: bool, filling: int) -> Tensor:
    shape = [max(sizes) for sizes in zip(*(tensor.shape[1:] for tensor in tensors), strict=True)]
    padded = []
    for tensor in tensors:
        missing = [most - size for size, most in zip(tensor.shape[1:], shape, strict=True)]
        sides = [side for gap in reversed(missing) for side in (0, gap)]
        if left and missing:
            sides[-2:] = missing[0], 0
        padded.append(pad(tensor, sides, value=filling) if any(missing) else tensor)
    return torch.cat(padded)
