"""The Mipha network: SigLIP tower, projector and a causal decoder, in the official checkpoint's layout.

Source of the layout: zhuyiche/llava-phi at 21dafbf (package ``mipha``). The tower stops at the layer that the official
code reads (``mm_vision_select_layer``), so its last layer, its final norm and its pooling head do not exist here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor, nn
from transformers import AutoModel, AutoModelForCausalLM, PhiConfig, PretrainedConfig, SiglipVisionConfig

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import object_of, text_of, whole_of

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, SiglipVisionModel

    from mipha_eval.models.generating_model import GeneratingModel

#: model_type of an official checkpoint -> configuration of its decoder. Another backbone is one more row here, and, where
#: it differs, its conversation in mipha_prompt.py; tied output weights and tokenizers that add a BOS are not met yet.
DECODERS: dict[str, type[PretrainedConfig]] = {"mipha_phi": PhiConfig}

#: entries of the official config.json that do not configure the decoder
NOT_DECODER_FIELDS = ("architectures", "model_type", "torch_dtype", "transformers_version", "vision_config")

#: official key prefix -> prefix in `MiphaNetwork`; the first that fits counts
KEY_PREFIXES = (
    ("model.vision_tower.vision_model.", "vision_tower."),
    ("model.mm_projector.", "mm_projector."),
    ("model.", "decoder.model."),
    ("lm_head.", "decoder.lm_head."),
)


class MiphaNetwork(nn.Module):
    """Weights and the two halves of the forward pass; prompts, pixels and decoding live elsewhere.

    Args:
        config: the official ``config.json`` as a dictionary.
        attention: attention implementation of transformers, ``sdpa`` or ``eager``.
    """

    def __init__(self, config: JsonObject, attention: str = "sdpa") -> None:
        super().__init__()
        tower = tower_of(config)
        self.select_layer = _select_layer(tower)
        self.vision_tower = _vision_tower(tower, self.select_layer, attention)
        ends = whole_of(tower, "hidden_size"), whole_of(config, "hidden_size")
        self.mm_projector = _projector(object_of(object_of(config, "vision_config"), "mm_projector"), ends)
        fields = {key: value for key, value in config.items() if key not in NOT_DECODER_FIELDS and value is not None}
        configuration: Callable[..., PreTrainedConfig] = DECODERS[text_of(config, "model_type")]
        build: Callable[..., GeneratingModel] = AutoModelForCausalLM.from_config
        self.decoder = build(configuration(**fields), attn_implementation=attention)

    def image_features(self, pixels: Tensor) -> Tensor:
        """Maps pixels [images, 3, height, width] to decoder inputs [images, patches, hidden]."""
        features: Tensor = self.mm_projector(self.patch_features(pixels))
        return features

    def patch_features(self, pixels: Tensor) -> Tensor:
        """Maps pixels [images, 3, height, width] to the tower's output [images, patches, width]."""
        hidden: Tensor = self.vision_tower.embeddings(pixels)
        for layer in self.vision_tower.encoder.layers:
            hidden = layer(hidden, None)
        return hidden

    def text_features(self, ids: Tensor) -> Tensor:
        """Maps token ids [..., length] to decoder inputs [..., length, hidden]."""
        features: Tensor = self.decoder.get_input_embeddings()(ids)
        return features


def tower_of(config: JsonObject) -> JsonObject:
    """The vision tower's part of an official ``config.json``."""
    return object_of(object_of(config, "vision_config"), "vision_tower")


def is_dead_weight(key: str, select_layer: int) -> bool:
    """Whether an official checkpoint key belongs to a part of the tower that no answer depends on."""
    tower = "model.vision_tower.vision_model."
    if not key.startswith(tower):
        return False
    if key.startswith((tower + "head.", tower + "post_layernorm.")) or key.endswith("position_ids"):
        return True
    layer = re.match(r"encoder\.layers\.(\d+)\.", key[len(tower) :])
    return layer is not None and int(layer[1]) >= select_layer


def official_key_to_module(key: str) -> str | None:
    """Translates a checkpoint key to the name in `MiphaNetwork`; None for a key of another model."""
    for prefix, name in KEY_PREFIXES:
        if key.startswith(prefix):
            return name + key[len(prefix) :]
    return None


def module_key_to_official(name: str) -> str:
    """The inverse of `official_key_to_module`."""
    for prefix, module in KEY_PREFIXES:
        if name.startswith(module):
            return prefix + name[len(module) :]
    raise KeyError(name)


def _select_layer(tower: JsonObject) -> int:
    """The number of encoder layers to run: hidden_states has one entry more than there are layers."""
    states = whole_of(tower, "num_hidden_layers") + 1
    layer = whole_of({"mm_vision_select_layer": -2, **tower}, "mm_vision_select_layer")
    if not -states <= layer < states:
        raise UserError(f"mm_vision_select_layer {layer} is outside the tower's {states - 1} layers")
    return layer % states


def _vision_tower(tower: JsonObject, layers: int, attention: str) -> SiglipVisionModel:
    name = str(tower.get("vision_model_name_or_path", "siglip"))
    if "siglip" not in name.lower():
        raise UserError(f"vision tower {name!r} is not supported; supported: SigLIP")
    fields = ("hidden_size", "intermediate_size", "num_attention_heads", "num_channels", "image_size", "patch_size")
    configuration: Callable[..., SiglipVisionConfig] = SiglipVisionConfig
    config = configuration(
        **{field: tower[field] for field in fields},
        num_hidden_layers=layers,
        hidden_act=tower["hidden_act"],
        layer_norm_eps=tower["layer_norm_eps"],
        attention_dropout=tower.get("attention_dropout", 0.0),
        vision_use_head=False,
    )
    build: Callable[..., SiglipVisionModel] = AutoModel.from_config
    model = build(config, attn_implementation=attention)
    model.register_module("post_layernorm", nn.Identity())
    return model


def _projector(config: JsonObject, ends: tuple[int, int]) -> nn.Module:
    """`ends` are the widths of the tower and of the decoder."""
    kind = text_of(config, "mm_projector_type")
    width, hidden = whole_of(config, "mm_hidden_size"), whole_of(config, "hidden_size")
    if (width, hidden) != ends or (kind == "identity" and width != hidden):
        raise UserError(
            f"the {kind} projector maps {width} to {hidden}, the tower gives {ends[0]}, the decoder takes {ends[1]}"
        )
    if kind == "linear":
        return nn.Linear(width, hidden)
    if kind == "identity":
        return nn.Identity()
    depth = re.fullmatch(r"mlp(\d+)x_gelu", kind)
    if depth is None:
        raise UserError(f"mm_projector_type {kind!r} is not supported; supported: linear, mlpNx_gelu, identity")
    layers: list[nn.Module] = [nn.Linear(width, hidden)]
    for _ in range(1, int(depth[1])):
        layers += [nn.GELU(), nn.Linear(hidden, hidden)]
    return nn.Sequential(*layers)
