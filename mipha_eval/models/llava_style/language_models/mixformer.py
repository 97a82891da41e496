"""Phi-2 by the names of the code that it was first published with (``mixformer-sequential``)."""

from __future__ import annotations

from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import whole_of
from mipha_eval.models.llava_style.language_models.language_model import LanguageModel
from mipha_eval.models.llava_style.language_models.phi2 import PHI2
from mipha_eval.models.llava_style.weight_piece import Pieces, cut, renamed, whole

#: names then -> in transformers; of the head's own norm and matrix, with what stands before them in the network
RENAMED = (
    (r"^embd\.wte\.", "embed_tokens."),
    (r"^h\.(\d+)\.ln\.", r"layers.\1.input_layernorm."),
    (r"^h\.(\d+)\.mixer\.out_proj\.", r"layers.\1.self_attn.dense."),
    (r"^h\.(\d+)\.mlp\.", r"layers.\1.mlp."),
    (r"^decoder\.lm_head\.ln\.", "decoder.model.final_layernorm."),
    (r"^decoder\.lm_head\.linear\.", "decoder.lm_head."),
)


def phi_entries(config: JsonObject) -> JsonObject:
    """Entries of that code in transformers' words."""
    width, heads = whole_of(config, "n_embd"), whole_of(config, "n_head")
    given = {
        "hidden_size": width,
        "intermediate_size": config.get("n_inner") or 4 * width,
        "num_hidden_layers": whole_of(config, "n_layer"),
        "num_attention_heads": heads,
        "num_key_value_heads": config.get("n_head_kv") or heads,
        "max_position_embeddings": whole_of(config, "n_positions"),
        "partial_rotary_factor": whole_of(config, "rotary_dim") / (width // heads),
        "hidden_act": config.get("activation_function", "gelu_new"),
        "layer_norm_eps": config.get("layer_norm_epsilon", 1e-5),
        "vocab_size": whole_of(config, "vocab_size"),
    }
    ends: JsonObject = {name: config.get(name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    return {**given, **ends}


def pieces(name: str, _config: JsonObject) -> Pieces:
    """As `LanguageModel.pieces`."""
    if ".mixer.Wqkv." in name:  # all queries first, then keys, then values
        layer, _, kind = name.removeprefix("h.").partition(".mixer.Wqkv.")
        return cut([f"layers.{layer}.self_attn.{each}_proj.{kind}" for each in "qkv"])
    return whole(renamed(name, RENAMED))


MIXFORMER = LanguageModel(name="Phi-2", configure=PHI2.configure, pieces=pieces)
