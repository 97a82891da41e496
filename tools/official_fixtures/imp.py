"""Fixtures of Imp: MILVLG/imp at 363a9bb, transformers 4.36.0, tokenizers 0.15.0, einops.

`PYTHONPATH=CHECKOUT:. python -m tools.official_fixtures.imp --images FOLDER --out tests/fixtures/relatives imp_phi2`

`imp_v1` is the first layout, that of Phi-2's own first code: it runs with a checkout of 6e7ed4a and transformers 4.31.0.
`imp_qwen2` and `imp_phi3` run with 363a9bb and transformers 4.40.1. A picture is always 384 wide. The tower loses its last
layer before it is saved; the checkpoint's weights count, the named tower's do not: its folder keeps none here.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.official_fixtures import recording, towers, vocabularies

SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
MULTIMODAL: dict[str, Any] = {
    "freeze_mm_mlp_adapter": False,
    "image_aspect_ratio": "square",
    "mm_hidden_size": towers.WIDTH,
    "mm_projector_lr": None,
    "mm_projector_type": "mlp2x_gelu",
    "mm_use_im_patch_token": False,
    "mm_use_im_start_end": False,
    "mm_vision_select_feature": "patch",
    "mm_vision_select_layer": -2,
    "mm_vision_tower": towers.SIGLIP,
    "tokenizer_model_max_length": 3072,
    "tokenizer_padding_side": "right",
    "tune_mm_mlp_adapter": False,
    "use_mm_proj": True,
}
SIGLIP_CLASSES = "imp_llava.model.multimodal_encoder.siglip.modeling_siglip"
UNUSED_ROWS = 9  # as everywhere: more rows than tokens; nothing cuts them off, but they are not drawn


def phi2_tokenizer(scratch: Path) -> Any:
    """As train.py leaves it: the end is `</s>`, a token of its own behind all others."""
    transformers = importlib.import_module("transformers")
    vocabularies.byte_level_bpe(scratch / "vocabulary", 290, last="<|endoftext|>")
    files = str(scratch / "vocabulary" / "vocab.json"), str(scratch / "vocabulary" / "merges.txt")
    tokenizer = transformers.CodeGenTokenizerFast(*files, model_max_length=3072)
    tokenizer.add_tokens([" " * count for count in range(6, 1, -1)])
    tokenizer.pad_token = tokenizer.unk_token
    tokenizer.add_special_tokens({"eos_token": "</s>"})
    return tokenizer


def qwen2_tokenizer(scratch: Path) -> Any:
    transformers = importlib.import_module("transformers")
    vocabularies.byte_level_bpe(scratch / "vocabulary", 400)
    files = str(scratch / "vocabulary" / "vocab.json"), str(scratch / "vocabulary" / "merges.txt")
    tokenizer = transformers.Qwen2TokenizerFast(*files, model_max_length=3072, unk_token=None)
    tokenizer.add_special_tokens({"eos_token": "<|im_end|>", "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    return tokenizer


def phi3_tokenizer(scratch: Path) -> Any:
    transformers = importlib.import_module("transformers")
    model_file = vocabularies.sentencepiece_model(scratch / "vocabulary", 400)
    tokenizer = transformers.LlamaTokenizerFast(str(model_file), model_max_length=3072)
    special = ["<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>", "<|user|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    tokenizer.eos_token = tokenizer.pad_token = special[0]
    return tokenizer


@dataclass(frozen=True)
class Kind:
    """A decoder: its class, what the builder finds in the folder's name, template, keyword, and keys of config.json."""

    decoder: str
    folder_name: str
    template: str
    stop: str
    tokenizer: Callable[[Path], Any]
    keys: dict[str, Any]
    source: str = "MILVLG/imp@363a9bb, transformers 4.36.0"


PHI2 = {"hidden_act": "gelu_new", "max_position_embeddings": 3072, "partial_rotary_factor": 0.5, "resid_pdrop": 0.1}
FIRST = {"n_embd": 68, "n_head": 2, "n_layer": 2, "n_positions": 3072, "resid_pdrop": 0.1}
NEWER = "MILVLG/imp@363a9bb, transformers 4.40.1"
VARIANTS = {
    "imp_phi2": Kind("Imp", "imp-phi2", "phi2", "</s>", phi2_tokenizer, SHAPE | PHI2),
    "imp_v1": Kind("Imp", "imp-v1", "phi2", "</s>", phi2_tokenizer, FIRST, "MILVLG/imp@6e7ed4a, transformers 4.31.0"),
    "imp_qwen2": Kind(
        "ImpQwen2",
        "imp-qwen1.5",
        "qwen2",
        "<|im_end|>",
        qwen2_tokenizer,
        SHAPE | {"num_key_value_heads": 4, "rope_theta": 1e6, "attn_implementation": "eager"},
        NEWER,
    ),
    "imp_phi3": Kind(
        "ImpPhi3",
        "imp-phi3",
        "phi3",
        "<|end|>",
        phi3_tokenizer,
        SHAPE | {"max_position_embeddings": 4096, "sliding_window": 2047, "attn_implementation": "eager"},
        NEWER,
    ),
}


def build(kind: Kind, tokenizer: Any, seed: int, end_scale: float) -> Any:
    torch, module = importlib.import_module("torch"), importlib.import_module("imp_llava.model")
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    if kind.decoder == "Imp":  # the decoder's own, not what answers were trained to end with
        first = kind.keys is FIRST
        ends = dict.fromkeys(ends, None if first else tokenizer.convert_tokens_to_ids("<|endoftext|>"))
    config = getattr(module, f"{kind.decoder}Config")(
        **kind.keys, **MULTIMODAL, **ends, vocab_size=len(tokenizer) + UNUSED_ROWS, pad_token_id=tokenizer.pad_token_id
    )
    model = getattr(module, f"{kind.decoder}ForCausalLM")(config)
    recording.randomise(model, seed)
    head = model.get_output_embeddings()
    with torch.no_grad():
        head.weight[tokenizer.convert_tokens_to_ids(kind.stop)] *= end_scale + (kind.decoder == "Imp")
        head.weight[len(tokenizer) :] *= 0.1
        if head.bias is not None:
            head.bias[len(tokenizer) :] = -5
    if kind.decoder == "ImpQwen2":  # Qwen's chat models bring it; the official script takes it back
        model.generation_config.repetition_penalty = 1.1
    return model.half()


def make(name: str, images: Path, out: Path) -> None:
    builder: Any = importlib.import_module("imp_llava.model.builder")
    builder.torch = recording.Float32()
    kind = VARIANTS[name]
    given_settings = {} if kind.decoder == "Imp" else {"repetition_penalty": 1.0}
    official = recording.Official(
        source=f"{kind.source}, CPU, float32",
        conversation="imp_llava.conversation",
        images="imp_llava.mm_utils",
        template=kind.template,
        stop_is_cut=False,
        keywords=True,
        stops=(kind.stop,),
        inputs=lambda pixels, _image: {"images": pixels[None], **given_settings},
    )

    def attempt(folder: Path, seed: int, end_scale: float) -> list[dict[str, Any]]:
        towers.save_siglip(folder / "tower", seed + 1000, 384, 24, SIGLIP_CLASSES)
        with towers.standing_for(towers.SIGLIP, folder / "tower") as scratch:
            tokenizer = kind.tokenizer(scratch)
            build(kind, tokenizer, seed, end_scale).save_pretrained(folder / "checkpoint", safe_serialization=True)
            tokenizer.save_pretrained(folder / "checkpoint")
            loaded = builder.load_pretrained_model(str(folder / "checkpoint"), None, kind.folder_name, device="cpu")
            return recording.answers(official, loaded[1].eval(), loaded[0], loaded[2], images)

    rows, seed = recording.search(out / name, attempt)
    recording.record(out / name, official, rows, {"seed": seed, "tower": "tower"}, 1 if name == "imp_v1" else 2)
    (out / name / "tower" / "model.safetensors").unlink()


if __name__ == "__main__":
    given = recording.arguments()
    importlib.import_module("torch").set_num_threads(1)
    for variant in given.variants or VARIANTS:
        make(variant, given.images.resolve(), given.out.resolve())
