"""Fixtures of LLaVA's own layout: haotian-liu/LLaVA at c121f04, transformers 4.37.2, tokenizers 0.15.2.

`PYTHONPATH=CHECKOUT:. python -m tools.official_fixtures.llava --images FOLDER --out tests/fixtures/relatives`

Each checkpoint holds a tower other than the named one. Official code takes it where `unfreeze_mm_vision_tower` says that it
was trained; elsewhere it loads the named tower in its place.
"""

import importlib
from pathlib import Path
from typing import Any

from tools.official_fixtures import recording, towers, vocabularies

SOURCE = "haotian-liu/LLaVA@c121f04, transformers 4.37.2, CPU, float32"
MULTIMODAL = {
    "mm_hidden_size": towers.WIDTH,
    "mm_use_im_patch_token": False,
    "mm_use_im_start_end": False,
    "mm_vision_select_feature": "patch",
    "mm_vision_select_layer": -2,
    "mm_vision_tower": towers.CLIP,
    "tune_mm_mlp_adapter": False,
    "use_mm_proj": True,
}
TRAINED = {"freeze_mm_mlp_adapter": False, "mm_projector_type": "mlp2x_gelu", "unfreeze_mm_vision_tower": True}
# name: (class, conversation, what the builder finds in the folder's name, keys of config.json, model_type written)
VARIANTS: dict[str, tuple[str, str, str, dict[str, Any], str]] = {
    "llava_mistral": (
        "Mistral",
        "mistral_instruct",
        "llava-mistral",
        {
            **TRAINED,
            "image_aspect_ratio": "pad",
            "mm_patch_merge_type": "flat",
            "mm_vision_tower_lr": 2e-6,
            "mm_resampler_type": None,
        },
        "llava_mistral",
    ),
    "llava_llama_square": ("Llama", "vicuna_v1", "llava-v1.5", {**TRAINED, "image_aspect_ratio": "square"}, "llava_llama"),
    "llava_old_start_end": (
        "Llama",
        "llava_v1",
        "LLaVA-v1",
        {"mm_use_im_start_end": True, "mm_use_im_patch_token": True},
        "llava",
    ),
}


def official(template: str) -> recording.Official:
    return recording.Official(
        source=SOURCE,
        conversation="llava.conversation",
        images="llava.mm_utils",
        template=template,
        stop_is_cut=False,
        inputs=lambda pixels, image: {"images": pixels[None], "image_sizes": [image.size]},
    )


def build(kind: str, tokenizer: Any, keys: dict[str, Any], seed: int, end_scale: float) -> Any:
    module = importlib.import_module(f"llava.model.language_model.llava_{kind.lower()}")
    shape: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "vocab_size": len(tokenizer),
    }
    if kind == "Mistral":
        shape |= {"num_key_value_heads": 2, "max_position_embeddings": 32768, "rope_theta": 1e6, "sliding_window": None}
        config = module.LlavaMistralConfig(**shape, rms_norm_eps=1e-5, **MULTIMODAL | keys)
    else:
        config = module.LlavaConfig(
            **shape, max_position_embeddings=4096, rms_norm_eps=1e-5, pad_token_id=0, **MULTIMODAL | keys
        )
    model = getattr(module, f"Llava{kind}ForCausalLM")(config)
    if not model.get_vision_tower().is_loaded:
        model.get_vision_tower().load_model()
    recording.randomise(model, seed, end=2, end_scale=end_scale)
    return model


def make(name: str, images: Path, out: Path) -> None:
    torch, transformers = importlib.import_module("torch"), importlib.import_module("transformers")
    builder: Any = importlib.import_module("llava.model.builder")
    builder.torch = recording.Float32()
    kind, template, folder_name, keys, model_type = VARIANTS[name]
    stored = torch.bfloat16 if kind == "Mistral" else torch.float16

    def attempt(folder: Path, seed: int, end_scale: float) -> list[dict[str, Any]]:
        checkpoint = folder / "checkpoint"
        towers.save_clip(folder / "tower", seed + 1000)
        with towers.standing_for(towers.CLIP, folder / "tower") as scratch:
            model_file = vocabularies.sentencepiece_model(scratch / "vocabulary", 400)
            old = {} if model_type != "llava_llama" else {"legacy": False}  # llava-v1.5 alone has this key
            tokenizer = transformers.LlamaTokenizer(str(model_file), padding_side="right", model_max_length=2048, **old)
            tokenizer.pad_token = tokenizer.unk_token
            if keys.get("mm_use_im_start_end"):
                tokenizer.add_tokens(["<im_patch>"], special_tokens=True)
                tokenizer.add_tokens(["<im_start>", "<im_end>"], special_tokens=True)
            build(kind, tokenizer, keys, seed, end_scale).to(stored).save_pretrained(checkpoint, safe_serialization=True)
            tokenizer.save_pretrained(checkpoint)
            recording.edit_json(checkpoint / "config.json", {"model_type": model_type})
            loaded = builder.load_pretrained_model(str(checkpoint), None, folder_name, device="cpu")
            return recording.answers(official(template), loaded[1].eval(), loaded[0], loaded[2], images)

    rows, seed = recording.search(out / name, attempt)
    recording.record(out / name, official(template), rows, {"seed": seed, "tower": "tower"})


if __name__ == "__main__":
    given = recording.arguments()
    importlib.import_module("torch").set_num_threads(1)
    for variant in given.variants or VARIANTS:
        make(variant, given.images.resolve(), given.out.resolve())
