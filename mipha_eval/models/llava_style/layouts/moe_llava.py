"""MoE-LLaVA's checkpoints without experts: LLaVA's entries under names of its own, since it also knows towers for videos."""

from __future__ import annotations

import dataclasses

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.language_models.llama import LLAMA
from mipha_eval.models.llava_style.language_models.mistral import MISTRAL
from mipha_eval.models.llava_style.language_models.phi2 import PHI2_WITHOUT_BIAS
from mipha_eval.models.llava_style.language_models.qwen2 import QWEN2
from mipha_eval.models.llava_style.layouts.flat import describe_flat
from mipha_eval.models.llava_style.layouts.layout import DECODER, HEAD, PROJECTOR, TOWER, Kind, Layout

#: an entry by which these checkpoints are told from others with the same model type
MARK = "mm_image_tower"


def describe(config: JsonObject) -> Description:
    """As `Layout.describe`. Raises UserError for experts."""
    if config.get("moe"):
        raise UserError("it has experts (moe), which are not supported; its dense checkpoints are")
    own: JsonObject = {"mm_vision_tower": config[MARK], "mm_projector_type": config.get("image_projector_type", "linear")}
    # its feature_select takes the first token away, of a tower without a class token, too
    return dataclasses.replace(describe_flat({**config, **own}), decoder=config, drops_first=True)


MOE_LLAVA = Layout(
    name="MoE-LLaVA",
    model="llava",
    source="PKU-YuanGroup/MoE-LLaVA at 6cb5f66",
    kinds=(
        Kind("llava_phi", PHI2_WITHOUT_BIAS, "phi"),
        Kind("llava_llama", LLAMA, "vicuna_v1"),
        Kind("llava_mistral", MISTRAL, "vicuna_v1"),
        Kind("llava_qwen1_5", QWEN2, "phi"),
    ),
    fits=lambda config: MARK in config,
    describe=describe,
    prefixes=(
        ("model.image_tower.image_tower.", TOWER),
        ("model.mm_projector.image_spatial_proj.", PROJECTOR),
        ("model.", DECODER),
        ("lm_head.", HEAD),
    ),
    processor="tower",
    own_tower=lambda _config: False,
    slow_tokenizer=lambda _config, _base: True,
    cuts_vocabulary=True,
)
