"""MobileVLM's checkpoints: LLaVA's entries and names, with projectors of its own."""

from __future__ import annotations

from mipha_eval.models.llava_style.language_models.llama import LLAMA
from mipha_eval.models.llava_style.layouts.flat import MARK, PREFIXES, describe_flat
from mipha_eval.models.llava_style.layouts.layout import Kind, Layout

MOBILEVLM = Layout(
    name="MobileVLM",
    model="llava",
    source="Meituan-AutoML/MobileVLM at 688fdec",
    kinds=(Kind("mobilevlm", LLAMA, "vicuna_v1"),),
    fits=lambda config: MARK in config,
    describe=describe_flat,
    prefixes=PREFIXES,
    processor="tower",
    own_tower=lambda config: "v2" in str(config.get("mm_projector_type")),
    ends="generation",
    stop_words="never",
    slow_tokenizer=lambda _config, _base: True,
    cuts_vocabulary=True,
)
