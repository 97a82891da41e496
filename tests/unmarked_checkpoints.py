"""Small random checkpoints of models whose processors place pictures themselves, or that need no place for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers.processors import TemplateProcessing

from tests.image_text_checkpoints import PATCH, SIDE, TEXT, VISION, pictures, save, tokenizer, transformers

#: queries of a Q-Former
QUERIES = 4

TOWER = {**VISION, "image_size": SIDE, "patch_size": PATCH}

T5 = {
    "model_type": "t5",
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "num_heads": 4,
    "feed_forward_proj": "gated-gelu",
    "tie_word_embeddings": False,
}


def words(before: str = "", after: str = "", **named: str) -> Any:
    """A tokenizer with tokens of its own for beginning, end and padding, `before` and `after` put around each text."""
    made = tokenizer(**named)
    made.add_special_tokens({"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"})
    around = " ".join(filter(None, (before, "$A", after)))
    marks = [(mark, made.convert_tokens_to_ids(mark)) for mark in (before, after) if mark]
    made.backend_tokenizer.post_processor = TemplateProcessing(single=around, special_tokens=marks)
    return made


def ids(made: Any) -> dict[str, int]:
    return {
        "vocab_size": len(made) + 1,  # a processor may add a mark
        "bos_token_id": made.bos_token_id,
        "eos_token_id": made.eos_token_id,
        "pad_token_id": made.pad_token_id,
    }


def t5_text(made: Any) -> dict[str, Any]:
    return {**T5, **ids(made), "decoder_start_token_id": made.pad_token_id}


def opt_text(made: Any) -> dict[str, Any]:
    sizes = {"ffn_dim": 48, "word_embed_proj_dim": 32, "max_position_embeddings": 512}
    return {"model_type": "opt", **TEXT, **sizes, **ids(made)}


def llama_text(made: Any) -> dict[str, Any]:
    return {"model_type": "llama", **TEXT, **ids(made)}


def looking(model: Any) -> Any:
    """Makes more of pictures, which a new model hardly sees; queries differ, which are all zero in some new ones."""
    for name, weight in model.named_parameters():
        if name.endswith(("query_tokens", "latent_query")):
            weight.data.normal_(std=0.5)
        elif name.endswith(("projection.weight", "image_to_text_projection.dense.weight", "out_proj.weight", "fc2.weight")):
            weight.data.mul_(4)
    return model


def stored(folder: Path, model: Any, processor: Any) -> Path:
    """As `save`, but the end token stays that of the text's configuration."""
    end = looking(model).generation_config.eos_token_id
    save(folder, model, processor)
    model.generation_config.eos_token_id = end
    model.generation_config.save_pretrained(folder)
    return folder


def blip_pictures() -> Any:
    return pictures("Blip", size={"height": SIDE, "width": SIDE})


def blip2(folder: Path, made: Any, text: dict[str, Any]) -> Path:
    processor = transformers.Blip2Processor(blip_pictures(), made, num_query_tokens=QUERIES)
    config = transformers.Blip2Config(
        vision_config={**TOWER, "initializer_range": 0.02},
        qformer_config={**VISION, "vocab_size": 100, "cross_attention_frequency": 1},
        text_config=text,
        num_query_tokens=QUERIES,
        image_token_index=made.convert_tokens_to_ids("<image>"),
    )
    return stored(folder, transformers.Blip2ForConditionalGeneration(config), processor)


def blip2_opt(folder: Path) -> Path:
    made = words(before="<s>")
    return blip2(folder, made, opt_text(made))


def blip2_t5(folder: Path) -> Path:
    made = words(after="</s>")
    return blip2(folder, made, t5_text(made))


def instructblip(folder: Path, made: Any, text: dict[str, Any]) -> Path:
    asked = words(before="<s>", after="</s>")
    processor = transformers.InstructBlipProcessor(blip_pictures(), made, asked, num_query_tokens=QUERIES)
    config = transformers.InstructBlipConfig(
        vision_config={**TOWER, "initializer_range": 0.02},
        qformer_config={**VISION, "vocab_size": len(asked), "cross_attention_frequency": 1, "max_position_embeddings": 300},
        text_config=text,
        num_query_tokens=QUERIES,
        image_token_index=made.convert_tokens_to_ids("<image>"),
    )
    return stored(folder, transformers.InstructBlipForConditionalGeneration(config), processor)


def instructblip_llama(folder: Path) -> Path:
    made = words(before="<s>")
    return instructblip(folder, made, llama_text(made))


def instructblip_opt(folder: Path) -> Path:
    made = words(before="<s>")
    return instructblip(folder, made, opt_text(made))


def instructblip_t5(folder: Path) -> Path:
    made = words(after="</s>")
    return instructblip(folder, made, t5_text(made))


def florence2(folder: Path) -> Path:
    made = words(image_token="<image>")
    config = transformers.Florence2Config(
        vision_config={
            "depths": [1, 1],
            "embed_dim": [16, 32],
            "num_heads": [2, 2],
            "num_groups": [2, 2],
            "patch_size": [7, 3],
            "patch_stride": [4, 2],
            "patch_padding": [3, 1],
            "patch_prenorm": [False, True],
            "window_size": 7,
            "projection_dim": 32,
            "max_position_embeddings": 50,
        },
        text_config={
            "model_type": "bart",
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 48,
            "decoder_ffn_dim": 48,
            "max_position_embeddings": 512,
            **ids(made),
            "decoder_start_token_id": made.eos_token_id,
            "forced_eos_token_id": made.eos_token_id,
        },
        image_token_id=made.convert_tokens_to_ids("<image>"),
    )
    images = pictures("CLIP", size={"height": SIDE, "width": SIDE}, do_center_crop=False)
    images.image_seq_length = 7 * 7 + 1
    processor = transformers.Florence2Processor(images, made)
    return stored(folder, transformers.Florence2ForConditionalGeneration(config), processor)


def idefics(folder: Path, *, resampler: bool = False) -> Path:
    made = words()
    size = len(made)
    made.add_special_tokens(
        {"additional_special_tokens": ["<fake_token_around_image>", "<image>"]}, replace_extra_special_tokens=False
    )
    config = transformers.IdeficsConfig(
        **{**TEXT, **ids(made), "vocab_size": size},
        additional_vocab_size=2,
        cross_layer_interval=1,
        alpha_initializer="ones",
        use_resampler=resampler,
        perceiver_config={"resampler_n_latents": 4, "resampler_depth": 1, "resampler_n_heads": 4, "resampler_head_dim": 8},
        vision_config={**TOWER, "embed_dim": 32},
    )
    images = pictures("Idefics", image_size=SIDE)
    processor = transformers.IdeficsProcessor(images, made)
    return stored(folder, transformers.IdeficsForVisionText2Text(config), processor)


def idefics_resampler(folder: Path) -> Path:
    return idefics(folder, resampler=True)


def kosmos2(folder: Path) -> Path:
    made = words()
    processor = transformers.Kosmos2Processor(
        pictures("CLIP", size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}),
        made,
        num_patch_index_tokens=16,
    )
    text = {
        "embed_dim": 32,
        "ffn_dim": 48,
        "layers": 2,
        "attention_heads": 4,
        "max_position_embeddings": 512,
        **ids(made),
        "vocab_size": len(made) + 80,
    }
    config = transformers.Kosmos2Config(text_config=text, vision_config=TOWER, latent_query_num=64)
    return stored(folder, transformers.Kosmos2ForConditionalGeneration(config), processor)


def git(folder: Path) -> Path:
    made = words(before="[CLS]", after="[SEP]", cls_token="[CLS]", sep_token="[SEP]")
    numbers = {**ids(made), "bos_token_id": made.cls_token_id, "eos_token_id": made.sep_token_id}
    config = transformers.GitConfig(**{**VISION, **numbers, "max_position_embeddings": 512}, vision_config=TOWER)
    images = pictures("CLIP", size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    processor = transformers.GitProcessor(images, made)
    return stored(folder, transformers.GitForCausalLM(config), processor)


def blip(folder: Path) -> Path:
    """Its own `generate` puts a token of its own in front, takes the separator off and names the end token."""
    made = words(before="[CLS]", after="[SEP]", cls_token="[CLS]", sep_token="[SEP]")
    made.add_special_tokens({"bos_token": "[DEC]"})
    text = {**VISION, **ids(made), "encoder_hidden_size": 32, "projection_dim": 32, "max_position_embeddings": 512}
    config = transformers.BlipConfig(
        vision_config={**TOWER, "initializer_range": 0.02},
        text_config={**text, "sep_token_id": made.sep_token_id, "initializer_range": 0.05},
        projection_dim=32,
    )
    processor = transformers.BlipProcessor(blip_pictures(), made)
    return stored(folder, transformers.BlipForConditionalGeneration(config), processor)


UNMARKED: dict[str, Callable[[Path], Path]] = {
    "blip2-opt": blip2_opt,
    "blip2-t5": blip2_t5,
    "instructblip-llama": instructblip_llama,
    "instructblip-opt": instructblip_opt,
    "instructblip-t5": instructblip_t5,
    "florence2": florence2,
    "idefics": idefics,
    "idefics-resampler": idefics_resampler,
    "kosmos2": kosmos2,
    "git": git,
    "blip": blip,
}
