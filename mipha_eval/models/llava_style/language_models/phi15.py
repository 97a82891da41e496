"""Phi-1.5: Phi-2's layers, but query, key and value in one weight, a head at a time.

The official code brings a class of its own for it, under Phi-2's model type.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor

from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import whole_of
from mipha_eval.models.llava_style.language_models.language_model import LanguageModel
from mipha_eval.models.llava_style.language_models.phi2 import PHI2
from mipha_eval.models.llava_style.weight_piece import Pieces, whole

FUSED = "self_attn.query_key_value."


def pieces(name: str, config: JsonObject) -> Pieces:
    """As `LanguageModel.pieces`."""
    if FUSED not in name:
        return whole(name)
    heads = whole_of(config, "num_attention_heads")
    parts = enumerate(("q_proj", "k_proj", "v_proj"))
    return {name.replace("query_key_value", each): partial(unfused, heads=heads, part=part) for part, each in parts}


def unfused(fused: Tensor, heads: int, part: int) -> Tensor:
    """Of [heads x 3 x size, ...] one of the three, [heads x size, ...]."""
    return fused.reshape(heads, 3, -1, *fused.shape[1:])[:, part].flatten(0, 1)


PHI15 = LanguageModel(name="Phi-1.5", mark=FUSED, configure=PHI2.configure, pieces=pieces)
