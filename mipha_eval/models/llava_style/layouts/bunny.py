"""Bunny's checkpoints: LLaVA's entries and names; the tower is always read at its last layer but one."""

from __future__ import annotations

import dataclasses

from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import text_of
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.language_models.llama import LLAMA
from mipha_eval.models.llava_style.language_models.phi2 import PHI2_WITHOUT_BIAS
from mipha_eval.models.llava_style.language_models.phi3 import PHI3
from mipha_eval.models.llava_style.language_models.qwen2 import QWEN2
from mipha_eval.models.llava_style.layouts.flat import MARK, PREFIXES, describe_flat
from mipha_eval.models.llava_style.layouts.layout import Kind, Layout

#: sizes of the picture where S2 is on and nothing is said
SCALES = "384,768,1152"


def describe(config: JsonObject) -> Description:
    """As `Layout.describe`."""
    scales = text_of({"s2_scales": SCALES, **config}, "s2_scales") if config.get("use_s2") else ""
    found = describe_flat({"mm_projector_type": "mlp2x_gelu", **config})
    return dataclasses.replace(
        found,
        select_layer=-2,
        scales=tuple(sorted(int(side) for side in scales.split(",") if side)),
        start_end=False,
        patch_token=False,
    )


BUNNY = Layout(
    name="Bunny",
    model="llava",
    source="BAAI-DCAI/Bunny at 08273ac",
    kinds=(
        Kind("bunny-phi", PHI2_WITHOUT_BIAS, "bunny"),
        Kind("bunny-phi3", PHI3, "bunny"),
        Kind("bunny-qwen2", QWEN2, "bunny"),
        Kind("bunny-qwen", QWEN2, "bunny"),
        Kind("bunny-llama", LLAMA, "bunny"),
    ),
    fits=lambda config: MARK in config,
    describe=describe,
    prefixes=PREFIXES,
    processor="tower",
    own_tower=lambda config: bool(config.get("unfreeze_vision_tower")),
    ends="generation",
    stop_words="never",
    cuts_vocabulary=True,
)
