"""Settings that recipes of several families share."""

from __future__ import annotations

from typing import Any

from tests.image_text_checkpoints import PATCH, SIDE

SQUARE = {"height": SIDE, "width": SIDE}
PATCHES = (SIDE // PATCH) ** 2

#: of LLaVA-NeXT's views
GRID = [[SIDE, 2 * SIDE], [2 * SIDE, SIDE], [2 * SIDE, 2 * SIDE]]

#: of pictures of any shape, in patches of `PATCH`
ANY_SHAPE: dict[str, Any] = {"size": {"shortest_edge": 56 * 56, "longest_edge": 112 * 112}, "patch_size": PATCH}

IMAGE = {"image_token": "<image>"}
IMAGE_AND_VIDEO = {**IMAGE, "video_token": "<video>"}


def rope(*section: int, **others: Any) -> dict[str, Any]:
    """Positions on three axes, and how a head's pairs are divided among them."""
    return {"rope_type": "default", "mrope_section": [*section], "rope_theta": 10000.0, **others}


def sam(side: int, **others: Any) -> dict[str, Any]:
    """A tower of Segment Anything's kind with windows alone; its default weights are next to nothing."""
    sizes = {"image_size": side, "patch_size": 4, "output_channels": 16, "global_attn_indexes": [], "window_size": 8}
    return {**sizes, "initializer_range": 0.02, **others}
