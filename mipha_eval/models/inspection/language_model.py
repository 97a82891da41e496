"""What a configuration says of a language model, and what ends its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.models.generation import Generation
from mipha_eval.models.limits import positions, switch
from mipha_eval.models.loaded import Loaded

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

#: names of sizes here and in transformers
SIZES = {
    "layers": "num_hidden_layers",
    "width": "hidden_size",
    "heads": "num_attention_heads",
    "key_value_heads": "num_key_value_heads",
    "head_width": "head_dim",
    "inner_width": "intermediate_size",
    "vocabulary": "vocab_size",
    "sliding_window": "sliding_window",
    "experts": "num_local_experts",
}


def decoder_facts(config: PreTrainedConfig) -> JsonObject:
    """Sizes; what a configuration does not have is not there."""
    found: dict[str, Json] = {name: getattr(config, field, None) for name, field in SIZES.items()}
    found["positions"] = positions(config)
    found["rotation_switches_at"] = switch(config)
    found["activation"] = getattr(config, "hidden_act", None)
    found["head_is_embedding"] = bool(getattr(config, "tie_word_embeddings", False))
    return {name: value for name, value in found.items() if value is not None}


def end_facts(loaded: Loaded) -> JsonObject:
    """What ends an answer."""
    ends = [str(loaded.tokenizer.convert_ids_to_tokens(token)) for token in sorted(loaded.ends)]
    return {"end_tokens": ends, "end_text": loaded.stop_text.text if loaded.stop_text else None}


def generation_facts(generation: Generation) -> JsonObject:
    """Generation settings of the checkpoint that are in force, and those that are left out."""
    return {"in_force": generation.obeyed or None, "left_out": generation.left_out or None}
