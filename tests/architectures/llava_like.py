"""A tower, a projector, a decoder: LLaVA and what was built like it."""

from __future__ import annotations

from tests.architectures.recipe import Recipe
from tests.architectures.sizes import ANY_SHAPE, GRID, IMAGE, IMAGE_AND_VIDEO, PATCHES, SQUARE, sam
from tests.image_text_checkpoints import PATCH, SIDE

CROPPED = {"size": {"shortest_edge": SIDE}, "crop_size": SQUARE}

#: what a processor has to know to count a picture's tokens
CLIP = {"patch_size": PATCH, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}

PLACES = tuple(f"<row_{row}_col_{col}>" for row in range(1, 5) for col in range(1, 5))

RECIPES = (
    Recipe("vipllava", IMAGE, images=CROPPED, processor=CLIP, config={"vision_feature_layer": [-2, 1]}),
    Recipe(
        "llava_next_video",
        IMAGE_AND_VIDEO,
        images={**CROPPED, "image_grid_pinpoints": GRID},
        processor=CLIP,
        config={"image_grid_pinpoints": GRID},
    ),
    Recipe("video_llava", IMAGE_AND_VIDEO, images=CROPPED, processor=CLIP),
    Recipe(
        "aria",
        IMAGE,
        images={"max_image_size": 490, "min_image_size": 336},
        processor={"size_conversion": {490: 4, 980: 8}},
        config={"vision_config": {"image_size": 490, "patch_size": 70}, "projector_patch_to_query_dict": {49: 4, 196: 8}},
    ),
    Recipe("deepseek_vl", IMAGE, images={"size": SQUARE}, processor={"num_image_tokens": PATCHES}),
    Recipe(
        "deepseek_vl_hybrid",
        IMAGE,
        images={"size": SQUARE, "high_res_size": {"height": 128, "width": 128}},
        processor={"num_image_tokens": PATCHES},
        config={"high_res_vision_config": sam(128, patch_size=16, global_attn_indexes=[1])},
    ),
    Recipe(
        "ovis2",
        {"image_token": "<IMG_ATOM>"},
        special=("<image>", "<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>"),
        images={"size": SQUARE, "crop_to_patches": True, "max_patches": 4},
        processor={"image_seq_length": PATCHES},
    ),
    Recipe(
        "qianfan_ocr",
        {
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "image_token": "<IMG_CONTEXT>",
        },
        special=("<image>",),
        images={"size": SQUARE, "max_patches": 4},
        processor={"image_seq_length": 4},
    ),
    Recipe(
        "granite4_vision",
        IMAGE,
        images={**CROPPED, "image_grid_pinpoints": GRID},
        processor={"patch_size": PATCH, "vision_feature_select_strategy": "full", "downsample_rate": "2/4"},
        config={
            "image_grid_pinpoints": GRID,
            "vision_feature_select_strategy": "full",
            "downsample_rate": "2/4",
            "deepstack_layer_map": [[-1, 0]],
            "spatial_target_layers": [1],
            "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 64},
            "qformer_config": {"num_hidden_layers": 1, "cross_attention_frequency": 1, "use_qformer_text_input": False},
        },
    ),
    Recipe(
        "granite_docling",
        IMAGE,
        special=("<fake_token_around_image>", "<global-img>", *PLACES),
        images={"size": SQUARE, "max_patches": 4},
        processor={"image_seq_len": 4},
        config={
            "vision_config": {"scale_factor": 2, "deepstack_visual_indexes": [0], "use_fine_route": False},
            "text_config": {
                "embedding_multiplier": 1.0,
                "logits_scaling": 1.0,
                "residual_multiplier": 1.0,
                "attention_multiplier": 0.35,
            },
        },
    ),
    Recipe(
        "lighton_ocr",
        {"image_token": "<|image_pad|>", "image_break_token": "<|vision_pad|>", "image_end_token": "<|vision_end|>"},
        image="<|image_pad|>",
        images={"size": {"longest_edge": 112}, "patch_size": PATCH},
        processor={"patch_size": PATCH, "spatial_merge_size": 2},
        config={"vision_config": {"image_size": 112}},
    ),
    Recipe(
        "deepseek_ocr2",
        IMAGE,
        images={"size": {"height": 256, "width": 256}, "tile_size": 192, "max_patches": 2},
        processor={"patch_size": 4},
        config={
            "vision_config": {
                "sam_config": sam(256, downsample_channels=[24, 32]),
                "encoder_config": {"num_key_value_heads": 4},
            },
            "text_config": {"mlp_layer_types": ["dense", "sparse"], "n_shared_experts": 1},
        },
    ),
    Recipe("video_llama_3", IMAGE_AND_VIDEO, images=ANY_SHAPE),
)
