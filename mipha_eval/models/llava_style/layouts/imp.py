"""Imp's checkpoints: LLaVA's entries, the tower among the weights without the layers that are not read."""

from __future__ import annotations

import dataclasses

from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import whole_of
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.language_models.mixformer import MIXFORMER, phi_entries
from mipha_eval.models.llava_style.language_models.phi2 import PHI2
from mipha_eval.models.llava_style.language_models.phi3 import PHI3
from mipha_eval.models.llava_style.language_models.qwen2 import QWEN2
from mipha_eval.models.llava_style.layouts.flat import MARK, PREFIXES, describe_flat
from mipha_eval.models.llava_style.layouts.layout import DECODER, HEAD, PROJECTOR, TOWER, Kind, Layout

SOURCE = "MILVLG/imp at 363a9bb"


def describe_first(config: JsonObject) -> Description:
    """As `Layout.describe`, of the first Imp, whose language model has entries of its own."""
    decoder = phi_entries(config)
    flat = describe_flat({**config, "hidden_size": whole_of(decoder, "hidden_size")})
    return dataclasses.replace(flat, decoder=decoder)


IMP = Layout(
    name="Imp",
    model="llava",
    source=SOURCE,
    kinds=(
        Kind("imp", PHI2, "imp_phi2"),
        Kind("imp_phi3", PHI3, "imp_phi3"),
        Kind("imp_qwen2", QWEN2, "imp_qwen2"),
    ),
    fits=lambda config: MARK in config and "n_embd" not in config,
    describe=describe_flat,
    prefixes=PREFIXES,
    processor="tower",
    ends="generation",
    stop_words="text",
    says=("repetition_penalty",),
)

#: as published in January 2024: Phi-2 by the names of its first code
IMP_FIRST = dataclasses.replace(
    IMP,
    kinds=(Kind("imp", MIXFORMER, "imp_phi2"),),
    fits=lambda config: MARK in config and "n_embd" in config,
    describe=describe_first,
    prefixes=(
        ("transformer.vision_tower.vision_tower.", TOWER),
        ("transformer.mm_projector.", PROJECTOR),
        ("transformer.", DECODER),
        ("lm_head.", HEAD),
    ),
)
