"""Models that see pictures in ways of their own: as tokens of a codebook, in slices, or with a decoder of another kind."""

from __future__ import annotations

from tests.architectures.qwen_like import LINEAR
from tests.architectures.recipe import Recipe
from tests.architectures.sizes import PATCHES, SQUARE
from tests.image_text_checkpoints import PATCH, transformers

GEMMA = {
    "image_token": "<image_soft_token>",
    "boi_token": "<start_of_image>",
    "eoi_token": "<end_of_image>",
    "audio_token": "<audio>",
    "boa_token": "<boa>",
    "eoa_token": "<eoa>",
    "video_token": "<|video|>",
}
MINICPM = {
    "image_token": "<image_pad>",
    "video_token": "<video_pad>",
    "image_start_token": "<image>",
    "image_end_token": "</image>",
    "slice_start_token": "<slice>",
    "slice_end_token": "</slice>",
    "image_id_start_token": "<image_id>",
    "image_id_end_token": "</image_id>",
}
SLICES = {"text_config": LINEAR, "insert_layer_id": 0}

#: of a codebook's encoder
CODES = {"base_channels": 32, "num_res_blocks": 1, "channel_multiplier": [1, 1, 1, 1]}

RECIPES = (
    Recipe(
        "chameleon",
        {"image_token": "<image>", "boi_token": "<racm3:break>", "eoi_token": "<eoss>", "sep_token": "<sep>"},
        special=tuple(f"IMGIMG{letter}Z" for letter in "ABCDEFGHIJ"),  # digits, as its vocabulary writes them
        images={"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}},
        processor={"image_seq_length": 16},
        config={"vq_config": {**CODES, "latent_channels": 32, "num_embeddings": 10, "resolution": 32}},
    ),
    Recipe(
        "emu3",
        {
            "image_token": "<image>",
            "boi_token": "<|image start|>",
            "eoi_token": "<|image end|>",
            "image_wrapper_token": "<|image token|>",
            "eof_token": "<|extra_201|>",
        },
        special=("<|extra_200|>", *(f"<|visual token {number:06}|>" for number in range(16))),
        images={"min_pixels": 32 * 32, "max_pixels": 64 * 64},
        config={
            "vq_config": {**CODES, "codebook_size": 16, "attn_resolutions": []},
            "text_config": {"attention_dropout": 0.0},
        },
    ),
    Recipe(
        "janus",
        {"image_token": "<image_placeholder>", "boi_token": "<begin_of_image>", "eoi_token": "<end_of_image>"},
        "<image_placeholder>",
        images={"size": SQUARE},
        processor={"num_image_tokens": PATCHES},
        config={
            "vision_config": {"num_image_tokens": PATCHES},
            "vq_config": {**CODES, "latent_channels": 32, "num_embeddings": 16, "image_token_embed_dim": 32},
        },
    ),
    Recipe("minicpmv4_6", MINICPM, "<image_pad>", images={"scale_resolution": 112}, config=SLICES),
    Recipe("minicpmv4_7", MINICPM, "<image_pad>", images={"scale_resolution": 112}, config=SLICES),
    Recipe(
        "gemma4",
        GEMMA,
        "<image_soft_token>",
        images={"patch_size": PATCH, "max_soft_tokens": 70, "pooling_kernel_size": 2},
        processor={"image_seq_length": 70},
        parts=lambda: {"feature_extractor": transformers.Gemma4AudioFeatureExtractor()},
        config={
            "audio_config": None,
            "vision_config": {"pooling_kernel_size": 2, "position_embedding_size": 64, "num_key_value_heads": 4},
            "text_config": {
                "sliding_window": 160,
                "layer_types": ["sliding_attention", "full_attention"],
                "hidden_size_per_layer_input": 8,
                "vocab_size_per_layer_input": 600,
                "global_head_dim": 8,
                "num_experts": None,
                "top_k_experts": None,
                "moe_intermediate_size": None,
            },
        },
    ),
)
