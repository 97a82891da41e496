"""Pictures of any shape in positions on three axes: Qwen-VL and what was built like it."""

from __future__ import annotations

from tests.architectures.recipe import Recipe
from tests.architectures.sizes import ANY_SHAPE, rope
from tests.image_text_checkpoints import transformers

MARKS = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
    "vision_start_token": "<|vision_start|>",
    "vision_end_token": "<|vision_end|>",
}
SOUNDS = {"audio_token": "<|AUDIO|>", "audio_bos_token": "<|audio_bos|>", "audio_eos_token": "<|audio_eos|>"}
IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"

#: a tower with windows, and one whose layers go into several layers of the decoder
WINDOWS = {"window_size": 56, "fullatt_block_indexes": [1]}
STACKED = {"num_position_embeddings": 64, "deepstack_visual_indexes": [0]}
AUDIO = {"d_model": 32, "encoder_layers": 1, "encoder_attention_heads": 4, "encoder_ffn_dim": 48, "output_dim": 32}

#: a decoder with linear attention in every second layer
LINEAR = {
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "layer_types": ["linear_attention", "full_attention"],
    "rope_parameters": rope(2, 1, 1, mrope_interleaved=True, partial_rotary_factor=1.0),
}
HYBRID = {"text_config": LINEAR, "vision_config": {"num_position_embeddings": 64, "deepstack_visual_indexes": []}}

#: every second layer looks at what an index picks, here at everything
INDEXED = {
    "layer_types": ["linear_attention", "indexed_attention"],
    "indexer_n_heads": 2,
    "indexer_kv_heads": 1,
    "indexer_head_dim": 8,
    "indexer_budget": 4096,
    "indexer_compress_ratio": 2,
    "hc_count": 2,
    "hc_lowrank": 8,
}

COMPASS = {
    "image_token": "<|IMAGE_PAD|>",
    "video_token": "<|VIDEO_PAD|>",
    "vision_start_token": "<|VISION_START|>",
    "vision_end_token": "<|VISION_END|>",
}
ERNIE = {
    "image_token": "<|IMAGE_PLACEHOLDER|>",
    "video_token": "<|VIDEO_PLACEHOLDER|>",
    "image_start_token": "<|IMAGE_START|>",
    "image_end_token": "<|IMAGE_END|>",
    "video_start_token": "<|VIDEO_START|>",
    "video_end_token": "<|VIDEO_END|>",
}
ERNIE_IMAGE = "<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>"

THREE_AXES = {"text_config": {"rope_parameters": rope(1, 1, 2)}}
WOVEN = {"rope_parameters": rope(1, 1, 2, mrope_interleaved=True)}

RECIPES = (
    Recipe(
        "qwen3_vl_moe",
        MARKS,
        IMAGE,
        images=ANY_SHAPE,
        image_class="Qwen2VLImageProcessorPil",
        config={"text_config": WOVEN, "vision_config": STACKED},
    ),
    Recipe("qwen3_5", MARKS, IMAGE, images=ANY_SHAPE, config=HYBRID),
    Recipe("qwen3_5_moe", MARKS, IMAGE, images=ANY_SHAPE, config=HYBRID),
    Recipe("qwen4_exp", MARKS, IMAGE, images=ANY_SHAPE, config={**HYBRID, "text_config": {**LINEAR, **INDEXED}}),
    Recipe("exaone4_5", MARKS, IMAGE, images=ANY_SHAPE, config={"vision_config": WINDOWS}),
    Recipe("hyperclovax_vision_v2", MARKS, IMAGE, images=ANY_SHAPE, config={"vision_config": WINDOWS}),
    Recipe(
        "cosmos3_omni",
        MARKS,
        IMAGE,
        images=ANY_SHAPE,
        processor_class="Qwen3VLProcessor",
        config={"text_config": WOVEN, "vision_config": STACKED},
    ),
    Recipe("cosmos3_edge", MARKS, IMAGE, images=ANY_SHAPE, config={**THREE_AXES, "vision_config": {"num_patches": 64}}),
    Recipe(
        "qwen2_5_omni_thinker",
        {**MARKS, **SOUNDS},
        IMAGE,
        images=ANY_SHAPE,
        parts=lambda: {"feature_extractor": transformers.WhisperFeatureExtractor()},
        processor_class="Qwen2_5OmniProcessor",
        image_class="Qwen2VLImageProcessorPil",
        config={"vision_start_token_id": None, **THREE_AXES, "vision_config": WINDOWS, "audio_config": AUDIO},
    ),
    Recipe(
        "qwen3_omni_moe_thinker",
        {**MARKS, **SOUNDS},
        IMAGE,
        images=ANY_SHAPE,
        parts=lambda: {"feature_extractor": transformers.WhisperFeatureExtractor()},
        processor_class="Qwen3OmniMoeProcessor",
        image_class="Qwen2VLImageProcessorPil",
        config={
            "vision_start_token_id": None,
            "text_config": WOVEN,
            "vision_config": STACKED,
            "audio_config": {**AUDIO, "downsample_hidden_size": 8},
        },
    ),
    Recipe(
        "cohere_compass",
        COMPASS,
        "<|VISION_START|><|IMAGE_PAD|><|VISION_END|>",
        images=ANY_SHAPE,
        config={
            "text_config": {"rope_parameters": {"full_attention": rope(1, 1, 2)}, "logit_scale": 1.0},
            "vision_config": STACKED,
        },
    ),
    Recipe(
        "ernie4_5_vl_moe",
        ERNIE,
        ERNIE_IMAGE,
        images=ANY_SHAPE,
        processor={"video_processor": {"font": ""}},
        config={"text_config": {"rope_parameters": rope(1, 1, 2), "moe_intermediate_size": [16, 16]}},
    ),
    Recipe("paddleocr_vl", ERNIE, ERNIE_IMAGE, images=ANY_SHAPE, config={**THREE_AXES, "vision_start_token_id": 0}),
    Recipe(
        "hunyuan_vl",
        {"image_token": "<|img|>", "image_start_token": "<|img_start|>", "image_end_token": "<|img_end|>"},
        "<|img_start|><|img|><|img_end|>",
        images=ANY_SHAPE,
        config={**THREE_AXES, "vision_config": {"num_key_value_heads": 4}},
    ),
    Recipe(
        "lfm3_vl",
        MARKS,
        IMAGE,
        images=ANY_SHAPE,
        config={
            "vision_config": {"layer_types": ["conv", "full_attention"]},
            "text_config": {"num_hidden_layers": 3, "layer_types": ["conv", "sliding_attention", "full_attention"]},
        },
    ),
    Recipe(
        "dots3_note",
        {"image_token": "<|imgpad|>", "video_token": "<|video_pad|>", "audio_token": "<|audio_comp_pad|>"},
        "<|imgpad|>",
        images={**ANY_SHAPE, "temporal_patch_size": 1},
        parts=lambda: {"feature_extractor": transformers.Dots3NoteFeatureExtractor()},
        config={
            "text_config": {
                "num_key_value_heads": 4,
                "kv_lora_rank": 8,
                "q_lora_rank": 8,
                "qk_rope_head_dim": 4,
                "qk_nope_head_dim": 4,
                "v_head_dim": 8,
                "index_topk": 4096,
                "index_head_dim": 8,
                "index_n_heads": 2,
                "mlp_layer_types": ["dense", "sparse"],
            },
            "vision_config": {"mlp_layer_types": ["dense", "dense"], "adapter_in_dim": 32, "adapter_out_dim": 32},
            "audio_config": {"adapter_input_size": 32, "adapter_out_dim": 32, "downsample_hidden_size": 8},
        },
    ),
)
