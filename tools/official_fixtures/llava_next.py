"""Fixtures of `llava_qwen`: LLaVA-VL/LLaVA-NeXT at df17966, transformers 4.40.0, tokenizers 0.19.1.

`PYTHONPATH=CHECKOUT:. python -m tools.official_fixtures.llava_next --images FOLDER --out tests/fixtures/relatives`

The repository pins a development version just before 4.40. Its code takes a checkpoint's own tower, if it holds one.
SigLIP loses its last layer before it is saved, and its picture is always 384 wide: its folder keeps no weights here.
"""

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tools.official_fixtures import recording, towers, vocabularies

OFFICIAL = recording.Official(
    source="LLaVA-VL/LLaVA-NeXT@df17966, transformers 4.40.0, CPU, float32",
    conversation="llava.conversation",
    images="llava.mm_utils",
    template="qwen_1_5",
    stop_is_cut=False,
    inputs=lambda pixels, image: {"images": [pixels], "image_sizes": [image.size]},
)
KEYS = {
    "add_faster_video": False,
    "add_time_instruction": False,
    "faster_token_stride": 10,
    "force_sample": False,
    "image_aspect_ratio": "pad",
    "image_crop_resolution": None,
    "image_grid_pinpoints": None,
    "image_split_resolution": None,
    "mm_hidden_size": towers.WIDTH,
    "mm_newline_position": "grid",
    "mm_patch_merge_type": "flat",
    "mm_projector_lr": None,
    "mm_projector_type": "mlp2x_gelu",
    "mm_resampler_type": None,
    "mm_spatial_pool_mode": "bilinear",
    "mm_spatial_pool_stride": None,
    "mm_tunable_parts": "mm_vision_tower,mm_mlp_adapter,mm_language_model",
    "mm_use_im_patch_token": False,
    "mm_use_im_start_end": False,
    "mm_vision_select_feature": "patch",
    "mm_vision_select_layer": -2,
    "mm_vision_tower_lr": 2e-6,
    "use_mm_proj": True,
    "vision_tower_pretrained": None,
}
VARIANTS = {"llava_qwen": towers.CLIP, "llava_qwen_siglip": towers.SIGLIP}
UNUSED_ROWS = 12  # as Qwen's: more rows than tokens; the official builder cuts them off


def tokenizer_of(scratch: Path) -> Any:
    transformers = importlib.import_module("transformers")
    vocabularies.byte_level_bpe(scratch / "vocabulary", 400)
    files = str(scratch / "vocabulary" / "vocab.json"), str(scratch / "vocabulary" / "merges.txt")
    tokenizer = transformers.Qwen2TokenizerFast(*files, padding_side="right", model_max_length=2048, unk_token=None)
    tokenizer.add_special_tokens({"eos_token": "<|im_end|>", "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    return tokenizer


def build(tokenizer: Any, tower: str, seed: int, end_scale: float) -> Any:
    transformers = importlib.import_module("transformers")
    module = importlib.import_module("llava.model.language_model.llava_qwen")
    end, pad = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    config = module.LlavaQwenConfig(
        vocab_size=len(tokenizer) + UNUSED_ROWS,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32768,
        rope_theta=1e6,
        bos_token_id=pad,
        eos_token_id=end,
        tie_word_embeddings=tower == towers.SIGLIP,  # as Qwen's small models
        mm_vision_tower=tower,
        **KEYS,
    )
    model = module.LlavaQwenForCausalLM(config)
    recording.randomise(model, seed, end=end, end_scale=end_scale)
    # what Qwen's chat models bring; the penalty sees the new tokens alone
    sampling = {"do_sample": True, "temperature": 0.7, "top_k": 20, "top_p": 0.8, "repetition_penalty": 1.1}
    model.generation_config = transformers.GenerationConfig(
        bos_token_id=pad, pad_token_id=pad, eos_token_id=[end, pad], **sampling
    )
    return model


def make(name: str, images: Path, out: Path) -> None:
    torch = importlib.import_module("torch")
    builder: Any = importlib.import_module("llava.model.builder")
    builder.torch = recording.Float32()
    # official code takes every tower that is a folder for CLIP: here the name decides
    chooser: Any = importlib.import_module("llava.model.multimodal_encoder.builder")
    chooser.os = SimpleNamespace(path=SimpleNamespace(exists=lambda _: False))
    tower = VARIANTS[name]
    siglip = tower == towers.SIGLIP

    def attempt(folder: Path, seed: int, end_scale: float) -> list[dict[str, Any]]:
        if siglip:
            towers.save_siglip(folder / "tower", seed + 1000, 384, 14)
        else:
            towers.save_clip(folder / "tower", seed + 1000)
        with towers.standing_for(tower, folder / "tower") as scratch:
            tokenizer = tokenizer_of(scratch)
            build(tokenizer, tower, seed, end_scale).to(torch.bfloat16).save_pretrained(
                folder / "checkpoint", safe_serialization=True
            )
            tokenizer.save_pretrained(folder / "checkpoint")
            loaded = builder.load_pretrained_model(
                str(folder / "checkpoint"), None, "llava-qwen", attn_implementation="eager"
            )
            return recording.answers(OFFICIAL, loaded[1].eval(), loaded[0], loaded[2], images)

    rows, seed = recording.search(out / name, attempt)
    recording.record(out / name, OFFICIAL, rows, {"seed": seed, "tower": "tower"}, 1 if siglip else 7)
    if siglip:
        (out / name / "tower" / "model.safetensors").unlink()


if __name__ == "__main__":
    given = recording.arguments()
    importlib.import_module("torch").set_num_threads(1)
    for variant in given.variants or VARIANTS:
        make(variant, given.images.resolve(), given.out.resolve())
