"""Learned positions of a vision tower for pictures of another size."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def interpolated(positions: Tensor, grid: tuple[int, int]) -> Tensor:
    """Positions [1, 1 + patches, width] for a grid of patches, sampled at steps of the old grid over the new one plus 0.1.

    Source: transformers 4.38.2, ``Dinov2Embeddings.interpolate_pos_encoding``, which the official code runs with. Later
    versions sample at steps of the whole sizes; features differ by a fifth.
    """
    side = math.isqrt(positions.shape[1] - 1)
    if grid == (side, side):
        return positions
    old = positions[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2).float()
    factors = [(length + 0.1) / side for length in grid]
    new = torch.nn.functional.interpolate(old, scale_factor=factors, mode="bicubic", align_corners=False)
    return torch.cat([positions[:, :1], new.flatten(2).transpose(1, 2).to(positions.dtype)], dim=1)
