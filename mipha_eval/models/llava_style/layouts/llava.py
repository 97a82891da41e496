"""LLaVA's own checkpoints: flat entries ``mm_*``, the tower mostly outside, in a folder or hub repository of its own."""

from __future__ import annotations

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.language_models.llama import LLAMA
from mipha_eval.models.llava_style.language_models.mistral import MISTRAL
from mipha_eval.models.llava_style.layouts.flat import MARK, PREFIXES, describe_flat
from mipha_eval.models.llava_style.layouts.layout import Kind, Layout


def describe(config: JsonObject) -> Description:
    """As `Layout.describe`. Raises UserError for what came with LLaVA-NeXT."""
    aspect, merge = config.get("image_aspect_ratio"), config.get("mm_patch_merge_type")
    if isinstance(aspect, str) and ("anyres" in aspect or aspect == "highres"):
        raise UserError(f"it has image_aspect_ratio {aspect!r}, of LLaVA-NeXT; take a converted one, which hf-chat runs")
    if merge not in (None, "flat"):
        raise UserError(f"it has mm_patch_merge_type {merge!r}, of LLaVA-NeXT; take a converted one, which hf-chat runs")
    if config.get("s2"):
        raise UserError("it reads pictures at several scales (s2), which is not supported in this layout")
    return describe_flat(config)


LLAVA = Layout(
    name="LLaVA",
    model="llava",
    source="haotian-liu/LLaVA at c121f04",
    kinds=(
        Kind("llava_llama", LLAMA, "vicuna_v1"),
        Kind("llava", LLAMA, "vicuna_v1"),
        Kind("llava_mistral", MISTRAL, "mistral_instruct"),
    ),
    fits=lambda config: MARK in config,
    describe=describe,
    prefixes=PREFIXES,
    # as llava/eval/run_llava.py has it; what it takes for 1.5 differs in a word from what LLaVA-1.5's numbers were made with
    named=(("llama-2", "llava_llama_2"), ("mistral", "mistral_instruct"), ("v1.6-34b", "chatml_direct")),
    processor="tower",
    own_tower=lambda config: bool(config.get("unfreeze_mm_vision_tower")),
    ends="generation",
    stop_words="never",
    slow_tokenizer=lambda config, _base: config.get("model_type") != "llava_mistral",
    cuts_vocabulary=True,
    seen="bos",
)
