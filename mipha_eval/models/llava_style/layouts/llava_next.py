"""LLaVA-NeXT's checkpoints on Qwen, as far as their pictures are LLaVA-1.5's: one view, padded or not."""

from __future__ import annotations

import dataclasses

from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.language_models.qwen2 import QWEN2
from mipha_eval.models.llava_style.layouts import llava
from mipha_eval.models.llava_style.layouts.flat import MARK, PREFIXES
from mipha_eval.models.llava_style.layouts.layout import Kind, Layout


def describe(config: JsonObject) -> Description:
    """As `Layout.describe`. Its SigLIP is read behind the last layer but one, whatever the entries say."""
    found = llava.describe(config)
    siglip = "siglip" in found.tower_name.lower()
    return dataclasses.replace(found, select_layer=-2, select_feature="patch") if siglip else found


LLAVA_NEXT = Layout(
    name="LLaVA-NeXT",
    model="llava",
    source="LLaVA-VL/LLaVA-NeXT at df17966",
    kinds=(Kind("llava_qwen", QWEN2, "qwen_1_5"),),
    fits=lambda config: MARK in config,
    describe=describe,
    prefixes=PREFIXES,
    processor="tower",
    ends="generation",
    stop_words="never",
    cuts_vocabulary=True,
    seen="nothing",
)
