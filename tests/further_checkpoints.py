"""More small random image-text checkpoints: families that read images in ways of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mipha_eval.models.image_text import without_videos
from tests.image_text_checkpoints import PATCH, SIDE, TEMPLATE, TEXT, VISION, pictures, save, tokenizer, transformers, vision


def seeing(model: Any) -> Any:
    """Opens what is closed in a new model, through which no picture would be seen."""
    for name, weight in model.named_parameters():
        if name.endswith(("_gate", "gate_attn", "gate_ffn")):
            weight.data.fill_(0.5)
        if name.endswith("mm_input_projection_weight"):
            weight.data.normal_(std=0.2)
    return model


def idefics2(folder: Path, *, split: bool = False, **text: Any) -> Path:
    """Its processor puts a space between an image and a question that begins with a letter. `text` changes the decoder."""
    words = tokenizer("<fake_token_around_image>", "<image>", "<end_of_utterance>")
    decoder = {"model_type": "mistral", **TEXT, "sliding_window": None, "pad_token_id": 0, **text}
    resampler = {"resampler_n_latents": 4, "resampler_depth": 1, "resampler_n_heads": 4, "resampler_head_dim": 8}
    config = transformers.Idefics2Config(
        vision_config={**VISION, "image_size": SIDE, "patch_size": PATCH},
        text_config={**decoder, "vocab_size": len(words)},
        perceiver_config={**resampler, "num_key_value_heads": 2, "hidden_size": 32},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        pad_token_id=0,
    )
    images = pictures("Idefics2", size={"longest_edge": 112, "shortest_edge": 42}, do_image_splitting=split)
    template = TEMPLATE.replace("MARK\n", "<image>")
    processor = transformers.Idefics2Processor(images, words, image_seq_len=4, chat_template=template)
    return save(folder, transformers.Idefics2ForConditionalGeneration(config), processor)


def idefics2_split(folder: Path) -> Path:
    """Every picture in five parts, and a window over the text that ends within the prompt."""
    return idefics2(folder, split=True, sliding_window=160)


def idefics3(folder: Path) -> Path:
    marks = {"fake_image_token": "<fake_token_around_image>", "image_token": "<image>", "global_image_token": "<global-img>"}
    words = tokenizer(**marks, end_of_utterance_token="<end_of_utterance>")
    places = [f"<row_{row}_col_{col}>" for row in range(1, 7) for col in range(1, 7)]
    words.add_special_tokens({"additional_special_tokens": places}, replace_extra_special_tokens=False)
    config = transformers.Idefics3Config(
        vision_config={**VISION, "image_size": SIDE, "patch_size": PATCH},
        text_config={"model_type": "llama", **TEXT, "vocab_size": len(words), "pad_token_id": 0},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=0,
    )
    images = pictures("Idefics3", size={"longest_edge": 2 * SIDE}, max_image_size={"longest_edge": SIDE})
    template = TEMPLATE.replace("MARK\n", "<image>")
    processor = transformers.Idefics3Processor(images, words, image_seq_len=4, chat_template=template)
    return save(folder, transformers.Idefics3ForConditionalGeneration(config), processor)


def mllama(folder: Path) -> Path:
    """Looks at the picture from layers of their own, masked by an input of their own."""
    words = tokenizer("<|python_tag|>", image_token="<|image|>")
    config = transformers.MllamaConfig(
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 3,
            "attention_heads": 4,
            "num_global_layers": 1,
            "vision_output_dim": 64,
            "intermediate_layers_indices": [1],
            "image_size": SIDE,
            "patch_size": PATCH,
        },
        text_config={**TEXT, "vocab_size": len(words), "cross_attention_layers": [1], "pad_token_id": 0},
        image_token_index=words.convert_tokens_to_ids("<|image|>"),
    )
    images = pictures("Mllama", size={"height": SIDE, "width": SIDE}, max_image_tiles=4)
    template = TEMPLATE.replace("MARK\n", "<|image|>")
    processor = transformers.MllamaProcessor(images, words, chat_template=template)
    return save(folder, seeing(transformers.MllamaForConditionalGeneration(config)), processor)


def llava_onevision(folder: Path) -> Path:
    words = tokenizer(image_token="<image>", video_token="<video>")
    grid = [[SIDE, 2 * SIDE], [2 * SIDE, SIDE], [2 * SIDE, 2 * SIDE]]
    config = transformers.LlavaOnevisionConfig(
        vision_config=vision("siglip_vision_model"),
        text_config={"model_type": "qwen2", **TEXT, "vocab_size": len(words)},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        video_token_id=words.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=grid,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        vision_aspect_ratio="anyres_max_2",
    )
    images = pictures("LlavaOnevision", size={"height": SIDE, "width": SIDE}, image_grid_pinpoints=grid)
    processor = without_videos(transformers.LlavaOnevisionProcessor)(
        images,
        words,
        video_processor=None,
        num_image_tokens=(SIDE // PATCH) ** 2,
        vision_feature_select_strategy="full",
        vision_aspect_ratio="anyres_max_2",
        chat_template=TEMPLATE.replace("MARK", "<image>"),
    )
    return save(folder, transformers.LlavaOnevisionForConditionalGeneration(config), processor)


def qwen_words() -> tuple[Any, dict[str, int]]:
    marks = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
    words = tokenizer(**marks, vision_bos_token="<|vision_start|>", vision_eos_token="<|vision_end|>")
    named = {**marks, "vision_start_token": "<|vision_start|>", "vision_end_token": "<|vision_end|>"}
    return words, {f"{name}_id": words.convert_tokens_to_ids(mark) for name, mark in named.items()}


QWEN_TEMPLATE = TEMPLATE.replace("MARK\n", "<|vision_start|><|image_pad|><|vision_end|>")
QWEN_SIZE = {"shortest_edge": 56 * 56, "longest_edge": 112 * 112}


def qwen2_vl(folder: Path) -> Path:
    words, ids = qwen_words()
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    config = transformers.Qwen2VLConfig(
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 4, "mlp_ratio": 2, "patch_size": PATCH},
        text_config={**TEXT, "vocab_size": len(words), "rope_parameters": rope},
        **ids,
    )
    processor = without_videos(transformers.Qwen2VLProcessor)(
        pictures("Qwen2VL", patch_size=PATCH, merge_size=2, size=QWEN_SIZE),
        words,
        video_processor=None,
        chat_template=QWEN_TEMPLATE,
    )
    return save(folder, transformers.Qwen2VLForConditionalGeneration(config), processor)


def qwen3_vl(folder: Path) -> Path:
    """Features of several layers of its tower go into several layers of its decoder."""
    words, ids = qwen_words()
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "mrope_interleaved": True, "rope_theta": 10000.0}
    config = transformers.Qwen3VLConfig(
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 4,
            "out_hidden_size": 32,
            "patch_size": PATCH,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        text_config={**TEXT, "vocab_size": len(words), "head_dim": 8, "rope_parameters": rope},
        **ids,
    )
    processor = without_videos(transformers.Qwen3VLProcessor)(
        pictures("Qwen2VL", patch_size=PATCH, merge_size=2, size=QWEN_SIZE),
        words,
        video_processor=None,
        chat_template=QWEN_TEMPLATE,
    )
    return save(folder, transformers.Qwen3VLForConditionalGeneration(config), processor)


def gemma3(folder: Path) -> Path:
    """Tokens of an image see each other in both directions, and every second layer sees a window."""
    words = tokenizer(image_token="<image_soft_token>", boi_token="<start_of_image>", eoi_token="<end_of_image>")
    config = transformers.Gemma3Config(
        vision_config={**vision("siglip_vision_model"), "vision_use_head": False},
        text_config={**TEXT, "vocab_size": len(words), "head_dim": 8, "sliding_window": 160, "pad_token_id": 0},
        image_token_id=words.convert_tokens_to_ids("<image_soft_token>"),
        boi_token_id=words.convert_tokens_to_ids("<start_of_image>"),
        eoi_token_id=words.convert_tokens_to_ids("<end_of_image>"),
        mm_tokens_per_image=4,
    )
    images = pictures("Gemma3", size={"height": SIDE, "width": SIDE})
    template = TEMPLATE.replace("MARK\n", "<start_of_image>")
    processor = transformers.Gemma3Processor(images, words, chat_template=template, image_seq_length=4)
    return save(folder, seeing(transformers.Gemma3ForConditionalGeneration(config)), processor)


def aya_vision(folder: Path) -> Path:
    """Pictures in tiles, told apart by text between the images' tokens."""
    marks = {"start_of_img_token": "<|START_OF_IMG|>", "end_of_img_token": "<|END_OF_IMG|>"}
    marks |= {"img_patch_token": "<|IMG_PATCH|>", "tile_token": "TILE", "tile_global_token": "TILE_GLOBAL"}
    words = tokenizer(image_token="<image>", **marks)
    config = transformers.AyaVisionConfig(
        vision_config=vision("siglip_vision_model"),
        text_config={"model_type": "cohere", **TEXT, "vocab_size": len(words), "pad_token_id": 0},
        image_token_id=words.convert_tokens_to_ids("<|IMG_PATCH|>"),
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        downsample_factor=2,
        adapter_layer_norm_eps=1e-6,
    )
    images = pictures("GotOcr2", size={"height": SIDE, "width": SIDE}, crop_to_patches=True, max_patches=4, min_patches=1)
    processor = transformers.AyaVisionProcessor(
        images,
        words,
        patch_size=PATCH,
        img_size=SIDE,
        downsample_factor=2,
        chat_template=TEMPLATE.replace("MARK", "<image>"),
    )
    return save(folder, transformers.AyaVisionForConditionalGeneration(config), processor)


def t5gemma2(folder: Path, **generation: Any) -> Path:
    """An encoder reads prompt and picture, a decoder answers from `decoder_start_token_id` on; `generation` are settings."""
    words = tokenizer(image_token="<image_soft_token>", boi_token="<start_of_image>", eoi_token="<end_of_image>")
    text = {**TEXT, "vocab_size": len(words), "head_dim": 8, "sliding_window": 2048, "pad_token_id": 0}
    image, end = (words.convert_tokens_to_ids(mark) for mark in ("<image_soft_token>", "<end_of_image>"))
    config = transformers.T5Gemma2Config(
        encoder={
            "text_config": text,
            "vision_config": {**vision("siglip_vision_model"), "vision_use_head": False},
            "mm_tokens_per_image": 4,
            "image_token_index": image,
            "eoi_token_index": end,
        },
        decoder=text,
        image_token_index=image,
        eoi_token_index=end,
    )
    images = pictures("Gemma3", size={"height": SIDE, "width": SIDE})
    template = TEMPLATE.replace("MARK\n", "<start_of_image>")
    processor = transformers.Gemma3Processor(images, words, chat_template=template, image_seq_length=4)
    model = seeing(transformers.T5Gemma2ForConditionalGeneration(config))
    model.generation_config.update(**{"decoder_start_token_id": 7, **generation})
    return save(folder, model, processor)


FURTHER: dict[str, Callable[[Path], Path]] = {
    "idefics2": idefics2,
    "idefics2-split": idefics2_split,
    "idefics3": idefics3,
    "mllama": mllama,
    "llava-onevision": llava_onevision,
    "qwen2-vl": qwen2_vl,
    "qwen3-vl": qwen3_vl,
    "gemma3": gemma3,
    "aya-vision": aya_vision,
    "t5gemma2": t5gemma2,
}
