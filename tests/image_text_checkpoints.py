"""Small random image-text checkpoints in transformers' own formats, one builder an architecture."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

import mipha_eval
from mipha_eval.models.image_text import without_videos

transformers: Any = import_module("transformers")  # its configurations have too few types

TINY = Path(mipha_eval.__file__).parent / "demo/tiny"
SIDE, PATCH = 56, 14

#: LLaVA-like templates put a line break behind each image
TEMPLATE = (
    "{% for message in messages %}USER: {% for part in message['content'] %}{% if part['type'] == 'image' %}MARK\n"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)

VISION = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4}
TEXT = {**VISION, "num_key_value_heads": 2, "max_position_embeddings": 2048, "bos_token_id": 0, "eos_token_id": 0}


def tokenizer(*special: str, **named: str) -> Any:
    """The embedded model's byte-level tokenizer with more special tokens."""
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(TINY / "tokenizer.json")),
        eos_token="<|endoftext|>",
        bos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=named,
        padding_side="left",
    )
    made.add_special_tokens(
        {"additional_special_tokens": [*special]} if not named else {}, replace_extra_special_tokens=False
    )
    return made


def save(folder: Path, model: Any, processor: Any) -> Path:
    """Spreads the random weights, so that answers differ, and writes safetensors and processor."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.mul_(4)
    model.generation_config.eos_token_id = 0
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def vision(kind: str) -> dict[str, Any]:
    return {"model_type": kind, **VISION, "image_size": SIDE, "patch_size": PATCH}


def pictures(kind: str, **settings: Any) -> Any:
    names = {"Qwen2VL": "qwen2_vl", "LlavaNext": "llava_next", "GotOcr2": "got_ocr2", "LlavaOnevision": "llava_onevision"}
    module = names.get(kind, kind.lower())
    place = import_module(f"transformers.models.{module}.image_processing_pil_{module}")
    return getattr(place, f"{kind}ImageProcessorPil")(**settings)


def llava(folder: Path, **text: Any) -> Path:
    """`text` changes the decoder's configuration."""
    words = tokenizer(image_token="<image>")
    config = transformers.LlavaConfig(
        vision_config=vision("siglip_vision_model"),
        text_config={"model_type": "phi", **TEXT, "vocab_size": len(words), **text},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2,
        vision_feature_select_strategy="full",
    )
    processor = transformers.LlavaProcessor(
        pictures("Siglip", size={"height": SIDE, "width": SIDE}),
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="full",
        chat_template=TEMPLATE.replace("MARK", "<image>"),
    )
    return save(folder, transformers.LlavaForConditionalGeneration(config), processor)


def llava_next(folder: Path) -> Path:
    words = tokenizer(image_token="<image>")
    grid = [[SIDE, 2 * SIDE], [2 * SIDE, SIDE], [2 * SIDE, 2 * SIDE]]
    config = transformers.LlavaNextConfig(
        vision_config=vision("clip_vision_model"),
        text_config={"model_type": "llama", **TEXT, "vocab_size": len(words)},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=grid,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )
    size = {"shortest_edge": SIDE}
    crop = {"height": SIDE, "width": SIDE}
    processor = transformers.LlavaNextProcessor(
        pictures("LlavaNext", size=size, crop_size=crop, image_grid_pinpoints=grid),
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE.replace("MARK", "<image>"),
    )
    return save(folder, transformers.LlavaNextForConditionalGeneration(config), processor)


def qwen2_5_vl(folder: Path) -> Path:
    marks = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
    words = tokenizer(**marks, vision_bos_token="<|vision_start|>", vision_eos_token="<|vision_end|>")
    ids = {f"{name}_id": words.convert_tokens_to_ids(mark) for name, mark in marks.items()}
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    config = transformers.Qwen2_5_VLConfig(
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 4,
            "out_hidden_size": 32,
            "patch_size": PATCH,
            "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        text_config={**TEXT, "vocab_size": len(words), "rope_parameters": rope},
        vision_start_token_id=words.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=words.convert_tokens_to_ids("<|vision_end|>"),
        **ids,
    )
    template = TEMPLATE.replace("MARK\n", "<|vision_start|><|image_pad|><|vision_end|>")
    processor = without_videos(transformers.Qwen2_5_VLProcessor)(
        pictures("Qwen2VL", patch_size=PATCH, merge_size=2, size={"shortest_edge": 56 * 56, "longest_edge": 112 * 112}),
        words,
        video_processor=None,
        chat_template=template,
    )
    return save(folder, transformers.Qwen2_5_VLForConditionalGeneration(config), processor)


def smolvlm(folder: Path) -> Path:
    marks = {"fake_image_token": "<fake_token_around_image>", "image_token": "<image>", "global_image_token": "<global-img>"}
    words = tokenizer(**marks, end_of_utterance_token="<end_of_utterance>")
    words.add_special_tokens(
        {"additional_special_tokens": [f"<row_{row}_col_{col}>" for row in range(1, 7) for col in range(1, 7)]},
        replace_extra_special_tokens=False,
    )
    config = transformers.SmolVLMConfig(
        vision_config={**VISION, "image_size": SIDE, "patch_size": PATCH},
        text_config={"model_type": "llama", **TEXT, "vocab_size": len(words), "pad_token_id": 0},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=0,
    )
    processor = without_videos(transformers.SmolVLMProcessor)(
        pictures("SmolVLM", size={"longest_edge": 2 * SIDE}, max_image_size={"longest_edge": SIDE}),
        words,
        image_seq_len=4,
        video_processor=None,
        chat_template=TEMPLATE.replace("MARK\n", "<image>"),
    )
    return save(folder, transformers.SmolVLMForConditionalGeneration(config), processor)


def paligemma(folder: Path) -> Path:
    words = tokenizer(image_token="<image>")
    config = transformers.PaliGemmaConfig(
        vision_config={**vision("siglip_vision_model"), "vision_use_head": False},
        text_config={"model_type": "gemma", **TEXT, "vocab_size": len(words) + 1100, "head_dim": 8},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        projection_dim=32,
        pad_token_id=0,
    )
    images = pictures("Siglip", size={"height": SIDE, "width": SIDE})
    images.image_seq_length = (SIDE // PATCH) ** 2
    processor = transformers.PaliGemmaProcessor(images, words)
    return save(folder, transformers.PaliGemmaForConditionalGeneration(config), processor)


def internvl(folder: Path) -> Path:
    marks = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"}
    words = tokenizer(**marks, video_token="<video>")
    config = transformers.InternVLConfig(
        vision_config={**VISION, "image_size": [SIDE, SIDE], "patch_size": [PATCH, PATCH]},
        text_config={"model_type": "qwen2", **TEXT, "vocab_size": len(words)},
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        downsample_ratio=0.5,
    )
    images = pictures("GotOcr2", size={"height": SIDE, "width": SIDE}, crop_to_patches=True, max_patches=4, min_patches=1)
    processor = without_videos(transformers.InternVLProcessor)(
        images, words, video_processor=None, image_seq_length=4, chat_template=TEMPLATE.replace("MARK", "<IMG_CONTEXT>")
    )
    return save(folder, transformers.InternVLForConditionalGeneration(config), processor)


BUILDERS: dict[str, Callable[[Path], Path]] = {
    "llava": llava,
    "llava-next": llava_next,
    "qwen2.5-vl": qwen2_5_vl,
    "smolvlm": smolvlm,
    "paligemma": paligemma,
    "internvl": internvl,
}
