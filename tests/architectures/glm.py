"""GLM's image-text models: a picture is marked as a video's frame is."""

from __future__ import annotations

from typing import Any

from tests.architectures.recipe import Recipe
from tests.architectures.sizes import ANY_SHAPE, rope

MARKS = {
    "image_token": "<|image|>",
    "video_token": "<|video|>",
    "image_start_token": "<|begin_of_image|>",
    "image_end_token": "<|end_of_image|>",
    "video_start_token": "<|begin_of_video|>",
    "video_end_token": "<|end_of_video|>",
}


def glm(architecture: str, text: dict[str, Any], images: dict[str, Any] = ANY_SHAPE, **classes: Any) -> Recipe:
    image = "<|begin_of_image|><|image|><|end_of_image|>"
    return Recipe(architecture, MARKS, image, images=images, config={"text_config": text}, **classes)


THREE_AXES = {"rope_parameters": rope(1, 1, 2)}

#: linear attention, then a layer that looks at what an index picks, here at everything
NEXT = {
    "num_key_value_heads": 4,
    "kv_lora_rank": 8,
    "q_lora_rank": 8,
    "v_head_dim": 8,
    "qk_nope_head_dim": 8,
    "index_topk": 4096,
    "index_head_dim": 8,
    "index_n_heads": 2,
    "linear_head_dim": 8,
    "linear_num_heads": 4,
    "hc_mult": 2,
    "mlp_layer_types": ["dense", "sparse"],
    "layer_types": ["linear_attention", "indexed_attention"],
    "head_dim": 0,
}

RECIPES = (
    glm("glm4v", THREE_AXES),
    glm("glm4v_moe", {"rope_parameters": rope(1, 1, 0, partial_rotary_factor=0.5)}, image_class="Glm4vImageProcessorPil"),
    glm("glm46v", THREE_AXES),
    glm("glmga", THREE_AXES, processor_class="Glm46VProcessor"),
    glm("glm_ocr", THREE_AXES, processor_class="Glm46VProcessor", image_class="Glm46VImageProcessorPil"),
    glm("glm5_next", NEXT, {"min_image_tokens": 1, "max_image_tokens": 16}),
)
