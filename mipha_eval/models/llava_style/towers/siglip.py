"""SigLIP: no class token, a picture squeezed to a square, positions as many as patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PIL import Image
from torch import Tensor
from transformers import AutoModel, SiglipVisionConfig

from mipha_eval.models.llava_style.towers.tower import Tower, TowerShape, without
from mipha_eval.models.llava_style.weight_piece import whole

if TYPE_CHECKING:
    from mipha_eval.models.llava_style.towers.tower import TowerModel

FIELDS = (
    *("hidden_size", "intermediate_size", "num_attention_heads", "num_channels", "image_size", "patch_size"),
    *("hidden_act", "layer_norm_eps"),
)


def build(shape: TowerShape) -> TowerModel:
    """Without the final norm and the pooling head."""
    configuration: Callable[..., SiglipVisionConfig] = SiglipVisionConfig
    config = configuration(
        **{field: shape.config[field] for field in FIELDS},
        num_hidden_layers=shape.layers,
        attention_dropout=shape.config.get("attention_dropout", 0.0),
        vision_use_head=False,
    )
    make: Callable[..., TowerModel] = AutoModel.from_config
    return without(make(config, attn_implementation=shape.attention), "post_layernorm")


def read(model: TowerModel, pixels: Tensor) -> Tensor:
    """As `Tower.read`."""
    hidden: Tensor = model.embeddings(pixels)
    for layer in model.encoder.layers:
        hidden = layer(hidden, None)
    return hidden


SIGLIP = Tower(
    name="SigLIP",
    word="siglip",
    mark="embeddings.patch_embedding.bias",
    prefix="vision_model.",
    class_token=False,
    defaults=SiglipVisionConfig,
    processor={
        "size": {"height": 224, "width": 224},
        "resample": Image.Resampling.BICUBIC,
        "image_mean": (0.5, 0.5, 0.5),
        "image_std": (0.5, 0.5, 0.5),
    },
    layers=r"encoder\.layers\.(\d+)\.",
    dead=r"head\.|post_layernorm\.|embeddings\.position_ids$",
    build=build,
    read=read,
    pieces=lambda name, _shape: whole(name),
)
