"""Fixtures of MobileVLM: Meituan-AutoML/MobileVLM at 688fdec, transformers 4.33.1, tokenizers 0.13.3, timm 0.9.12.

`PYTHONPATH=CHECKOUT:. python -m tools.official_fixtures.mobilevlm --images FOLDER --out tests/fixtures/relatives`

A checkpoint holds its tower. Official code takes it for `ldpnetv2` alone; for `ldpnet` it loads the named tower instead.
"""

import importlib
from pathlib import Path
from typing import Any

from tools.official_fixtures import recording, towers, vocabularies

OFFICIAL = recording.Official(
    source="Meituan-AutoML/MobileVLM@688fdec, transformers 4.33.1, CPU, float32",
    conversation="mobilevlm.conversation",
    images="mobilevlm.utils",
    template="v1",
    stop_is_cut=True,
)
# projector, size of the picture (LDP v2 pools any grid to 12 x 12, unevenly where it does not divide it), features kept
VARIANTS = {"mobilevlm_ldpnet": ("ldpnet", 64, 8, 7), "mobilevlm_ldpnetv2": ("ldpnetv2", 72, 4, 2)}


def import_torchvision() -> None:
    """Import torchvision beside a PyTorch of another build: without its own operators, of which nothing is used."""
    library: Any = importlib.import_module("torch.library")
    register = library.register_fake
    library.register_fake = lambda *_a, **_k: lambda function: function
    importlib.import_module("torchvision")
    library.register_fake = register


def build(projector: str, tokenizer: Any, seed: int, end_scale: float) -> Any:
    llama = importlib.import_module("mobilevlm.model.mobilellama")
    config = llama.MobileVLMConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=2048,
        rms_norm_eps=1e-6,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        mm_vision_tower=towers.CLIP,
        vision_tower_type="clip",
        mm_hidden_size=towers.WIDTH,
        mm_projector_type=projector,
        mm_vision_select_layer=-2,
        mm_vision_select_feature="patch",
        mm_use_im_start_end=False,
        mm_use_im_patch_token=False,
        image_aspect_ratio="pad",
        image_grid_pinpoints=None,
        use_mm_proj=True,
        tune_mm_mlp_adapter=False,
        freeze_mm_mlp_adapter=False,
    )
    model = llama.MobileLlamaForCausalLM(config)
    recording.randomise(model, seed, end=2, end_scale=end_scale)
    return model


def make(name: str, images: Path, out: Path) -> None:
    transformers = importlib.import_module("transformers")
    builder: Any = importlib.import_module("mobilevlm.model.mobilevlm")
    builder.torch = recording.Float32()
    projector, size, patch, kept = VARIANTS[name]

    def attempt(folder: Path, seed: int, end_scale: float) -> list[dict[str, Any]]:
        towers.save_clip(folder / "tower", seed + 1000, size, patch)
        with towers.standing_for(towers.CLIP, folder / "tower") as scratch:
            model_file = vocabularies.sentencepiece_model(scratch / "vocabulary", 400)
            tokenizer = transformers.LlamaTokenizer(str(model_file), padding_side="right", model_max_length=2048)
            tokenizer.pad_token = tokenizer.unk_token
            model = build(projector, tokenizer, seed, end_scale)
            model.half().save_pretrained(folder / "checkpoint", safe_serialization=True)
            tokenizer.save_pretrained(folder / "checkpoint")
            loaded = builder.load_pretrained_model(str(folder / "checkpoint"), device_map=None, device="cpu")
            return recording.answers(OFFICIAL, loaded[1].eval(), loaded[0], loaded[2], images)

    rows, seed = recording.search(out / name, attempt)
    recording.record(out / name, OFFICIAL, rows, {"seed": seed, "tower": "tower"}, kept)


if __name__ == "__main__":
    given = recording.arguments()
    importlib.import_module("torch").set_num_threads(1)
    import_torchvision()
    for variant in given.variants or VARIANTS:
        make(variant, given.images.resolve(), given.out.resolve())
