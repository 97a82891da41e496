"""Fixtures of MoE-LLaVA without experts: PKU-YuanGroup/MoE-LLaVA at 6cb5f66, transformers 4.37.2, tokenizers 0.15.2.

`PYTHONPATH=CHECKOUT:. python -m tools.official_fixtures.moe_llava --images FOLDER --out tests/fixtures/relatives`

A checkpoint holds its tower; official code always loads the named tower in its place. Its `patch` drops the first token of
SigLIP, too, which has no class token.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tools.official_fixtures import recording, towers, vocabularies

OFFICIAL = recording.Official(
    source="PKU-YuanGroup/MoE-LLaVA@6cb5f66, transformers 4.37.2, CPU, float32",
    conversation="moellava.conversation",
    images="moellava.mm_utils",
    template="phi",
    stop_is_cut=False,
    keywords=True,
)
VARIANTS = {"moe_llava_phi": towers.CLIP, "moe_llava_phi_siglip": towers.SIGLIP}
UNUSED_ROWS = 12  # as Phi-2's: more rows than tokens; the official builder cuts them off


def import_without_experts() -> None:
    """Import the official package, with empty modules where it imports what dense checkpoints do not use."""
    for name in (
        "models.llama.modeling_llama",
        "models.mistral.modeling_mistral",
        "models.qwen2.modeling_qwen2",
        "models.blip_2",
    ):
        getattr(importlib.import_module(f"transformers.{name}"), "Blip2Model", None)  # they look for DeepSpeed
    used = {"deepspeed.moe.layer": "MoE", "timm.models.vision_transformer": "Block", "tiktoken": "Encoding"}
    empty = set()
    for name, attribute in used.items():
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            part = ".".join(parts[:end])
            empty.add(part)
            sys.modules.setdefault(part, ModuleType(part))
        setattr(sys.modules[name], attribute, type(attribute, (), {}))
    importlib.import_module("moellava.model.builder")
    for name in empty:
        del sys.modules[name]


def tokenizer_of(scratch: Path) -> Any:
    transformers = importlib.import_module("transformers")
    vocabularies.byte_level_bpe(scratch / "vocabulary", 400, last="<|endoftext|>")
    files = str(scratch / "vocabulary" / "vocab.json"), str(scratch / "vocabulary" / "merges.txt")
    tokenizer = transformers.CodeGenTokenizer(*files, padding_side="right", model_max_length=2048)
    tokenizer.add_tokens([" " * count for count in range(8, 1, -1)])  # Phi-2 adds runs of spaces
    tokenizer.add_special_tokens({"unk_token": "<|extra_0|>"})  # the training script adds it, and pads with it
    tokenizer.pad_token = tokenizer.unk_token
    return tokenizer


def build(tokenizer: Any, tower: str, seed: int, end_scale: float) -> Any:
    module = importlib.import_module("moellava.model.language_model.llava_phi")
    config = module.LlavaPhiConfig(
        vocab_size=len(tokenizer) + UNUSED_ROWS,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=2048,
        partial_rotary_factor=0.5,
        hidden_act="gelu_new",
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=tokenizer.pad_token_id,
        image_aspect_ratio="pad",
        image_projector_type="mlp2x_gelu",
        video_projector_type="linear",
        video_global_proj=False,
        video_spatial_proj=False,
        video_temproal_proj=False,
        mm_hidden_size=towers.WIDTH,
        mm_image_tower=tower,
        mm_video_tower=None,
        mm_projector_lr=None,
        mm_use_im_patch_token=False,
        mm_use_im_start_end=False,
        mm_vision_select_feature="patch",
        mm_vision_select_layer=-2,
        tokenizer_padding_side="right",
        tune_mm_mlp_adapter=False,
        freeze_mm_mlp_adapter=False,
        use_mm_proj=True,
    )
    model = module.LlavaPhiForCausalLM(config)
    model.get_image_tower().load_model()
    recording.randomise(model, seed, end=tokenizer.eos_token_id, end_scale=end_scale)
    return model


def make(name: str, images: Path, out: Path) -> None:
    builder: Any = importlib.import_module("moellava.model.builder")
    builder.torch = recording.Float32()
    tower = VARIANTS[name]

    def attempt(folder: Path, seed: int, end_scale: float) -> list[dict[str, Any]]:
        save = towers.save_siglip if tower == towers.SIGLIP else towers.save_clip
        save(folder / "tower", seed + 1000)
        with towers.standing_for(tower, folder / "tower") as scratch:
            tokenizer = tokenizer_of(scratch)
            build(tokenizer, tower, seed, end_scale).half().save_pretrained(folder / "checkpoint", safe_serialization=True)
            tokenizer.save_pretrained(folder / "checkpoint")
            tokenizer, model, processors, _ = builder.load_pretrained_model(
                str(folder / "checkpoint"), None, "llava-phi", device="cpu"
            )
            return recording.answers(OFFICIAL, model.eval(), tokenizer, processors["image"], images)

    rows, seed = recording.search(out / name, attempt)
    recording.record(out / name, OFFICIAL, rows, {"seed": seed, "tower": "tower"})


if __name__ == "__main__":
    given = recording.arguments()
    importlib.import_module("torch").set_num_threads(1)
    import_without_experts()
    for variant in given.variants or VARIANTS:
        make(variant, given.images.resolve(), given.out.resolve())
