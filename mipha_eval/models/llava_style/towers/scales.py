"""S2: a picture read at several sizes by one tower, whose features stand side by side.

Source: BAAI-DCAI/Bunny at 08273ac, ``bunny/util/s2wrapper``; Shi et al., "When Do We Not Need Larger Vision Models?"
(arXiv:2403.13043). The picture comes in the largest size; each is cut into squares that the tower takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def read_scales(read: Callable[[Tensor], Tensor], pixels: Tensor, scales: Sequence[int]) -> Tensor:
    """Features [images, tokens, width x scales] of pixels [images, 3, side, side].

    Args:
        read: a tower without a class token; maps squares of the smallest scale to [squares, tokens, width].
        scales: sides in pixels, the smallest first.
    """
    found = [
        _whole(read, interpolate(pixels.float(), size=side, mode="bicubic").to(pixels.dtype), scales[0]) for side in scales
    ]
    rows = found[0].shape[-1]
    alike = [interpolate(each.float(), size=rows, mode="area").to(each.dtype) for each in found]
    return torch.cat(alike, dim=1).flatten(2).transpose(1, 2)


def _whole(read: Callable[[Tensor], Tensor], pixels: Tensor, side: int) -> Tensor:
    """Features [images, width, rows, columns] of pictures that are read square by square."""
    images, squares = len(pixels), pixels.shape[-1] // side
    parts = pixels.reshape(images, -1, squares, side, squares, side)
    features = read(parts.permute(0, 2, 4, 1, 3, 5).reshape(-1, pixels.shape[1], side, side))
    rows = round(features.shape[1] ** 0.5)
    grid = features.reshape(images, squares, squares, rows, rows, -1)
    return grid.permute(0, 5, 1, 3, 2, 4).reshape(images, features.shape[-1], squares * rows, squares * rows)
