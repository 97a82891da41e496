"""Fixtures of Bunny: BAAI-DCAI/Bunny at 08273ac, which pins no version; transformers 4.40.1, tokenizers 0.19.1, einops.

`PYTHONPATH=CHECKOUT:. python -m tools.official_fixtures.bunny --images FOLDER --out tests/fixtures/relatives`

Each checkpoint holds a tower other than the named one. Official code takes it where `unfreeze_vision_tower` says that it was
trained; elsewhere it loads the named tower in its place. The decoders with a vendored class compute with plain attention.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from tools.official_fixtures import recording, towers, vocabularies

SOURCE = "BAAI-DCAI/Bunny@08273ac, transformers 4.40.1, CPU, float32"
SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
MULTIMODAL: dict[str, Any] = {
    "freeze_mm_mlp_adapter": False,
    "image_aspect_ratio": "pad",
    "mm_projector_lr": 2e-5,
    "mm_projector_type": "mlp2x_gelu",
    "mm_vision_tower": towers.SIGLIP,
    "tokenizer_model_max_length": 2048,
    "tokenizer_padding_side": "right",
    "tune_mm_mlp_adapter": False,
    "use_mm_proj": True,
}
UNUSED_ROWS = 9  # as Qwen's and Phi-3's: more rows than tokens; the official builder cuts them off
SCALES = (32, 64, 96)  # the released ones: 384, 768, 1152


def phi2_tokenizer(scratch: Path) -> Any:
    transformers = importlib.import_module("transformers")
    vocabularies.byte_level_bpe(scratch / "vocabulary", 400, last="<|endoftext|>")
    files = str(scratch / "vocabulary" / "vocab.json"), str(scratch / "vocabulary" / "merges.txt")
    end = dict.fromkeys(("unk_token", "bos_token", "eos_token"), "<|endoftext|>")
    tokenizer = transformers.CodeGenTokenizerFast(*files, **end, model_max_length=2048)
    tokenizer.add_tokens([" " * count for count in range(6, 1, -1)])
    return tokenizer


def phi3_tokenizer(scratch: Path) -> Any:
    transformers = importlib.import_module("transformers")
    model_file = vocabularies.sentencepiece_model(scratch / "vocabulary", 400)
    tokenizer = transformers.LlamaTokenizerFast(str(model_file), model_max_length=2048)
    special = ["<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>", "<|user|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    tokenizer.eos_token = tokenizer.pad_token = special[0]
    return tokenizer


def qwen2_tokenizer(scratch: Path) -> Any:
    transformers = importlib.import_module("transformers")
    vocabularies.byte_level_bpe(scratch / "vocabulary", 400)
    files = str(scratch / "vocabulary" / "vocab.json"), str(scratch / "vocabulary" / "merges.txt")
    tokenizer = transformers.Qwen2TokenizerFast(*files, model_max_length=2048, unk_token=None)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    return tokenizer


def llama3_tokenizer(scratch: Path) -> Any:
    """A plain fast tokenizer that puts a begin token before every text."""
    transformers, library = importlib.import_module("transformers"), importlib.import_module("tokenizers")
    vocabularies.byte_level_bpe(scratch / "vocabulary", 400)
    files = str(scratch / "vocabulary" / "vocab.json"), str(scratch / "vocabulary" / "merges.txt")
    raw = library.Tokenizer(library.models.BPE.from_file(*files))
    raw.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = library.decoders.ByteLevel()
    begin, end = "<|begin_of_text|>", "<|end_of_text|>"
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token=begin, eos_token=end, model_max_length=2048
    )
    before = library.processors.TemplateProcessing(single=f"{begin} $A", special_tokens=[(begin, tokenizer.bos_token_id)])
    tokenizer.backend_tokenizer.post_processor = before
    return tokenizer


@dataclass(frozen=True)
class Kind:
    """A decoder: the class's name, the name and the template that scripts are called with, and what config.json says."""

    decoder: str
    model_type: str
    template: str
    tokenizer: Callable[[Path], Any]
    keys: dict[str, Any]
    vision: dict[str, Any] = field(default_factory=dict)
    unused_rows: int = 0


VARIANTS = {
    "bunny_phi2_siglip": Kind(
        "Phi",
        "phi-2",
        "bunny",
        phi2_tokenizer,
        {"hidden_act": "gelu_new", "max_position_embeddings": 2048, "partial_rotary_factor": 0.5, "resid_pdrop": 0.1},
    ),
    "bunny_phi3_s2": Kind(
        "Phi3",
        "phi-3",
        "phi3",
        phi3_tokenizer,
        {"max_position_embeddings": 4096, "sliding_window": 2047},
        {"use_s2": True, "s2_scales": ",".join(map(str, SCALES)), "unfreeze_vision_tower": True},
        UNUSED_ROWS,
    ),
    "bunny_qwen2_siglip": Kind(
        "Qwen2",
        "qwen1.5-1.8b",
        "bunny",
        qwen2_tokenizer,
        {"num_key_value_heads": 4},
        {"use_s2": False},
        UNUSED_ROWS,
    ),
    "bunny_llama3_siglip": Kind(
        "Llama",
        "llama3-8b",
        "llama",
        llama3_tokenizer,
        {"max_position_embeddings": 8192, "num_key_value_heads": 2, "rope_theta": 500000.0},
        {"use_s2": False, "unfreeze_vision_tower": True},
    ),
}


def import_without_others() -> None:
    """Import the official package, with empty modules where it imports what these checkpoints do not use."""
    importlib.import_module("transformers")
    used = {
        "timm.layers.norm_act": ("LayerNormAct2d",),
        "timm.models.layers": ("drop_path", "to_2tuple", "trunc_normal_"),
        "torchvision.models.mobilenetv3": ("InvertedResidual", "InvertedResidualConfig"),
        "torchvision.ops.misc": ("SqueezeExcitation",),
        "torchvision.transforms": (),
        "torchvision.transforms.functional": ("InterpolationMode",),
        "xformers.ops": (),
    }
    empty = set()
    for name, attributes in used.items():
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            part = ".".join(parts[:end])
            empty.add(part)
            module = sys.modules.setdefault(part, ModuleType(part))
            if end > 1:
                setattr(sys.modules[".".join(parts[: end - 1])], parts[end - 1], module)
        for attribute in attributes:
            setattr(sys.modules[name], attribute, type(attribute, (), {"BICUBIC": 3}))
    importlib.import_module("bunny.model.builder")
    for name in empty:
        del sys.modules[name]


def build(kind: Kind, tokenizer: Any, seed: int, end_scale: float) -> Any:
    torch, module = importlib.import_module("torch"), importlib.import_module("bunny.model")
    config = getattr(module, f"Bunny{kind.decoder}Config")(
        **SHAPE,
        **kind.keys,
        **MULTIMODAL,
        **kind.vision,
        vocab_size=len(tokenizer) + kind.unused_rows,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        mm_hidden_size=towers.WIDTH * (len(SCALES) if kind.vision.get("use_s2") else 1),
        attn_implementation="eager",
    )
    model = getattr(module, f"Bunny{kind.decoder}ForCausalLM")(config)
    model.get_vision_tower().load_model()
    recording.randomise(model, seed, end=tokenizer.eos_token_id, end_scale=end_scale)
    with torch.no_grad():
        model.lm_head.weight[len(tokenizer) :] *= 3  # would be drawn often, if they were kept
    return model


def make(name: str, images: Path, out: Path) -> None:
    builder: Any = importlib.import_module("bunny.model.builder")
    builder.torch = recording.Float32()
    kind = VARIANTS[name]
    official = recording.Official(
        source=SOURCE,
        conversation="bunny.conversation",
        images="bunny.util.mm_utils",
        template=kind.template,
        stop_is_cut=False,
    )

    def attempt(folder: Path, seed: int, end_scale: float) -> list[dict[str, Any]]:
        towers.save_siglip(folder / "tower", seed + 1000, SCALES[0], 8)
        with towers.standing_for(towers.SIGLIP, folder / "tower") as scratch:
            tokenizer = kind.tokenizer(scratch)
            model = build(kind, tokenizer, seed, end_scale)
            model.half().save_pretrained(folder / "checkpoint", safe_serialization=True)
            tokenizer.save_pretrained(folder / "checkpoint")
            loaded = builder.load_pretrained_model(
                str(folder / "checkpoint"), None, "bunny", kind.model_type, device="cpu", attn_implementation="eager"
            )
            return recording.answers(official, loaded[1].eval(), loaded[0], loaded[2], images)

    rows, seed = recording.search(out / name, attempt)
    recording.record(out / name, official, rows, {"seed": seed, "tower": "tower"})
    if kind.vision.get("unfreeze_vision_tower"):
        (out / name / "tower" / "model.safetensors").unlink()


if __name__ == "__main__":
    given = recording.arguments()
    importlib.import_module("torch").set_num_threads(1)
    import_without_others()
    for variant in given.variants or VARIANTS:
        make(variant, given.images.resolve(), given.out.resolve())
