"""LLaVA's own checkpoints: flat entries ``mm_*``, the tower mostly outside, in a folder or hub repository of its own."""

from __future__ import annotations

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import text_of, whole_of
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.language_models.llama import LLAMA
from mipha_eval.models.llava_style.language_models.mistral import MISTRAL
from mipha_eval.models.llava_style.language_models.qwen2 import QWEN2
from mipha_eval.models.llava_style.layouts.layout import DECODER, HEAD, PROJECTOR, TOWER, Kind, Layout

#: an entry by which these checkpoints are told from those of transformers with the same model type
MARK = "mm_vision_tower"


def describe(config: JsonObject) -> Description:
    """As `Layout.describe`."""
    aspect = config.get("image_aspect_ratio")
    if isinstance(aspect, str) and ("anyres" in aspect or aspect == "highres"):
        raise UserError(f"it has image_aspect_ratio {aspect!r}, of LLaVA-NeXT; take a converted one, which hf-chat runs")
    if str(config.get("mm_patch_merge_type", "flat")) != "flat" and config.get("mm_patch_merge_type") is not None:
        raise UserError(f"it has mm_patch_merge_type {config['mm_patch_merge_type']!r}, of LLaVA-NeXT")
    return Description(
        decoder=config,
        tower_name=text_of(config, MARK),
        select_layer=whole_of({"mm_vision_select_layer": -2, **config}, "mm_vision_select_layer"),
        select_feature=str(config.get("mm_vision_select_feature", "patch")),
        projector=text_of({"mm_projector_type": "linear", **config}, "mm_projector_type"),
        projector_widths=(whole_of(config, "mm_hidden_size"), whole_of(config, "hidden_size")),
        aspect=aspect if isinstance(aspect, str) else None,
        start_end=bool(config.get("mm_use_im_start_end")),
        patch_token=bool(config.get("mm_use_im_patch_token", True)),
    )


LLAVA = Layout(
    name="LLaVA",
    model="llava",
    source="haotian-liu/LLaVA at c121f04",
    kinds=(
        Kind("llava_llama", LLAMA, "vicuna_v1"),
        Kind("llava", LLAMA, "vicuna_v1"),
        Kind("llava_mistral", MISTRAL, "mistral_instruct"),
        Kind("llava_qwen", QWEN2, "qwen_1_5"),
    ),
    fits=lambda config: MARK in config,
    describe=describe,
    prefixes=(
        ("model.vision_tower.vision_tower.", TOWER),
        ("model.mm_projector.", PROJECTOR),
        ("model.", DECODER),
        ("lm_head.", HEAD),
    ),
    processor="tower",
    ends="generation",
    stop_words=False,
    slow_tokenizer="always",
    sees_prompt=False,
)
