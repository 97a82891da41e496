"""Fixtures of TinyLLaVA: TinyLLaVA/TinyLLaVA_Factory at 53f12c7, transformers 4.40.1, tokenizers 0.19.1, peft 0.10.0.

`PYTHONPATH=CHECKOUT:. python -m tools.official_fixtures.tinyllava --images FOLDER --out tests/fixtures/relatives`

It needs einops-exts, too. A checkpoint holds every part, the tower too; the tower's and the decoder's folders give the
configuration, the image processor and the tokenizer. `patch` drops the first token of SigLIP, too, which has no class token.
"""

import dataclasses
import functools
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from tools.official_fixtures import recording, towers, vocabularies

SOURCE = "TinyLLaVA/TinyLLaVA_Factory@53f12c7, transformers 4.40.1, CPU, float32"
SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
UNUSED_ROWS = 9  # as Phi-2's: more rows than tokens; nothing cuts them off, but they are not drawn
QUESTIONS = [*recording.QUESTIONS[:4], ("coffee.png", "  What is in the cup? \n"), *recording.QUESTIONS[5:]]


def phi2_tokenizer(scratch: Path) -> Any:
    transformers = importlib.import_module("transformers")
    vocabularies.byte_level_bpe(scratch / "vocabulary", 400, last="<|endoftext|>")
    files = str(scratch / "vocabulary" / "vocab.json"), str(scratch / "vocabulary" / "merges.txt")
    tokenizer = transformers.CodeGenTokenizer(*files)
    tokenizer.add_tokens([" " * count for count in range(6, 1, -1)])
    return tokenizer


def llama_tokenizer(scratch: Path) -> Any:
    model_file = vocabularies.sentencepiece_model(scratch / "vocabulary", 400)
    return importlib.import_module("transformers").LlamaTokenizer(str(model_file), legacy=False)


def qwen2_tokenizer(scratch: Path) -> Any:
    transformers = importlib.import_module("transformers")
    vocabularies.byte_level_bpe(scratch / "vocabulary", 400)
    files = str(scratch / "vocabulary" / "vocab.json"), str(scratch / "vocabulary" / "merges.txt")
    tokenizer = transformers.Qwen2Tokenizer(*files, unk_token=None)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    return tokenizer


def gemma_tokenizer(scratch: Path) -> Any:
    model_file = vocabularies.sentencepiece_model(scratch / "vocabulary", 400, gemma=True)
    return importlib.import_module("transformers").GemmaTokenizer(str(model_file))


@dataclass(frozen=True)
class Kind:
    """A decoder and what stands beside it; the official code chooses classes by the names of the two."""

    decoder: str
    name: str
    template: str
    tokenizer: Callable[[Path], Any]
    keys: dict[str, Any]
    tower: str = towers.SIGLIP
    vision: dict[str, Any] = field(default_factory=dict)
    unused_rows: int = 0


VARIANTS = {
    "tinyllava_phi2_siglip": Kind(
        "PhiConfig",
        "microsoft/phi-2",
        "phi",
        phi2_tokenizer,
        {"partial_rotary_factor": 0.5, "resid_pdrop": 0.1},
        unused_rows=UNUSED_ROWS,
    ),
    "tinyllava_tinyllama_clip": Kind(
        "LlamaConfig",
        "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        "llama",
        llama_tokenizer,
        {"num_key_value_heads": 2, "rms_norm_eps": 1e-5},
        towers.CLIP,
        {"connector_type": "linear", "image_aspect_ratio": "pad"},
    ),
    "tinyllava_qwen2_siglip": Kind(
        "Qwen2Config",
        "Qwen/Qwen2-0.5B",
        "qwen2_base",
        qwen2_tokenizer,
        {"num_key_value_heads": 2, "rope_theta": 1e6, "tie_word_embeddings": True},
        vision={"mm_vision_select_feature": "cls_patch"},
        unused_rows=UNUSED_ROWS,
    ),
    "tinyllava_gemma_siglip": Kind(
        "GemmaConfig",
        "google/gemma-2b-it",
        "gemma",
        gemma_tokenizer,
        {"num_key_value_heads": 1, "head_dim": 16, "hidden_act": "gelu"},
    ),
}


def import_without_deepspeed() -> None:
    """Import the official package, with empty modules for DeepSpeed, which training alone uses.

    The code is of Python 3.9: since 3.11 a dataclass takes no default that cannot be hashed, so its templates' can.
    """
    importlib.import_module("peft")
    names = "deepspeed", "deepspeed.runtime", "deepspeed.runtime.zero", "deepspeed.runtime.zero.partition_parameters"
    for name in names:
        sys.modules[name] = ModuleType(name)
    for attribute in ("zero", "ZeroParamStatus"):
        setattr(sys.modules[names[0]], attribute, None)
        setattr(sys.modules[names[-1]], attribute, None)
    importlib.import_module("tinyllava.model")
    plain = dataclasses.dataclass
    dataclasses.dataclass = functools.partial(plain, unsafe_hash=True)
    importlib.import_module("tinyllava.data.template")
    dataclasses.dataclass = plain
    for name in names:
        del sys.modules[name]


def save_decoder(kind: Kind, scratch: Path) -> Any:
    """The decoder's folder under its hub name, from which configuration and tokenizer are read."""
    transformers = importlib.import_module("transformers")
    tokenizer = kind.tokenizer(scratch)
    config = getattr(transformers, kind.decoder)(
        **SHAPE | kind.keys,
        vocab_size=len(tokenizer) + kind.unused_rows,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        max_position_embeddings=2048,
        torch_dtype="float16",
    )
    folder = Path(kind.name)
    folder.mkdir(parents=True)
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tokenizer


def build(kind: Kind, tokenizer: Any, seed: int, end_scale: float) -> Any:
    """As train.py: the configuration is filled from the trainer's arguments, and the tune types are noted in it."""
    module = importlib.import_module("tinyllava.model")
    arguments = {
        "model_name_or_path": kind.name,
        "vision_tower": kind.tower,
        "connector_type": "mlp2x_gelu",
        "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch",
        "image_aspect_ratio": "square",
        "tokenizer_use_fast": False,
        "model_max_length": 2048,
        "resampler_hidden_size": 768,
        "num_queries": 128,
        "num_resampler_layers": 3,
    }
    config = module.TinyLlavaConfig()
    config.load_from_config(SimpleNamespace(**arguments | kind.vision))
    model = module.TinyLlavaForConditionalGeneration(config)
    config.pad_token, config.pad_token_id = model.tokenizer.pad_token, model.tokenizer.pad_token_id
    config.tune_type_llm = config.tune_type_connector = "full"
    config.tune_vision_tower_from_layer, config.use_cache = 0, True
    recording.randomise(model, seed)
    head = model.get_output_embeddings()  # where they are tied, the embeddings, too
    with importlib.import_module("torch").no_grad():
        head.weight[tokenizer.eos_token_id] *= end_scale
        head.weight[len(tokenizer) :] *= 0.1  # official code fails on what has no text
        if head.bias is not None:
            head.bias[len(tokenizer) :] = -5
    return model.half().float()


def processing() -> Any:
    """The functions of the official package under the names that `recording` looks for."""
    preprocess = importlib.import_module("tinyllava.data.image_preprocess").ImagePreprocess
    template = importlib.import_module("tinyllava.data.template").Template
    return SimpleNamespace(
        process_images=lambda images, processor, config: [preprocess(processor, config)(image) for image in images],
        tokenizer_image_token=template.tokenizer_image_token,
    )


def prompt_of(template: str, question: str) -> tuple[str, str]:
    message = importlib.import_module("tinyllava.utils.message").Message()
    message.add_message("<image>\n" + question)
    found = importlib.import_module("tinyllava.data.template").TemplateFactory(template)()
    return found.prompt(*found.get_list_from_message(message.messages)), ""


def make(name: str, images: Path, out: Path) -> None:
    builder = importlib.import_module("tinyllava.model.load_model")
    kind = VARIANTS[name]
    official = recording.Official(
        source=SOURCE,
        conversation="",
        images=processing(),
        template=kind.template,
        stop_is_cut=False,
        questions=QUESTIONS,
        ask=lambda question: prompt_of(kind.template, question),
        inputs=lambda pixels, image: {"images": pixels[None], "image_sizes": [image.size]},
    )

    def attempt(folder: Path, seed: int, end_scale: float) -> list[dict[str, Any]]:
        save = towers.save_siglip if kind.tower == towers.SIGLIP else towers.save_clip
        save(folder / "tower", seed + 1000, 32, 8)
        with towers.standing_for(kind.tower, folder / "tower") as scratch:
            model = build(kind, save_decoder(kind, scratch), seed, end_scale)
            model.half().save_pretrained(folder / "checkpoint", safe_serialization=True)
            model.tokenizer.save_pretrained(folder / "checkpoint")
            model, tokenizer, processor, _ = builder.load_pretrained_model(str(folder / "checkpoint"), device="cpu")
            return recording.answers(official, model.float().eval(), tokenizer, processor, images)

    rows, seed = recording.search(out / name, attempt)
    recording.record(out / name, official, rows, {"seed": seed, "tower": "tower"})
    (out / name / "tower" / "model.safetensors").unlink()


if __name__ == "__main__":
    given = recording.arguments()
    importlib.import_module("torch").set_num_threads(1)
    import_without_deepspeed()
    for variant in given.variants or VARIANTS:
        make(variant, given.images.resolve(), given.out.resolve())
