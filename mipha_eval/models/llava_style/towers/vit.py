"""ViT, as pretrained on ImageNet-21k: a class token, a picture squeezed to a square.

The official code has no class for it; it is read as the official code reads DINOv2, which has the same layout.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PIL import Image
from torch import Tensor
from transformers import ViTConfig, ViTModel

from mipha_eval.models.llava_style.towers.tower import Tower, TowerShape, without
from mipha_eval.models.llava_style.weight_piece import renamed, whole

if TYPE_CHECKING:
    from mipha_eval.models.llava_style.towers.tower import TowerModel

FIELDS = (
    *("hidden_size", "intermediate_size", "num_attention_heads", "num_channels", "image_size", "patch_size"),
    *("hidden_act", "layer_norm_eps"),
)

#: names before transformers 5 -> names since
RENAMED = (
    (r"^encoder\.layer\.", "layers."),
    (r"attention\.attention\.(q|k|v)(uery|ey|alue)\.", r"attention.\1_proj."),
    (r"attention\.output\.dense\.", "attention.o_proj."),
    (r"intermediate\.dense\.", "mlp.fc1."),
    (r"(?<=\d\.)output\.dense\.", "mlp.fc2."),
)


def build(shape: TowerShape) -> TowerModel:
    """Without the final norm and the pooling head."""
    configuration: Callable[..., ViTConfig] = ViTConfig
    fields = {field: shape.config[field] for field in FIELDS}
    bias = shape.config.get("qkv_bias", True)
    config = configuration(**fields, num_hidden_layers=shape.layers, qkv_bias=bias)
    make: Callable[..., TowerModel] = ViTModel._from_config
    return without(make(config, attn_implementation=shape.attention, add_pooling_layer=False), "layernorm")


def read(model: TowerModel, pixels: Tensor) -> Tensor:
    """As `Tower.read`."""
    hidden: Tensor = model.embeddings(pixels)
    for layer in model.layers:
        hidden = layer(hidden)
    return hidden


VIT = Tower(
    name="ViT",
    word="vit",
    mark="layernorm_before.weight",
    prefix="vit.",
    class_token=True,
    defaults=ViTConfig,
    processor={
        "size": {"height": 224, "width": 224},
        "resample": Image.Resampling.BILINEAR,
        "image_mean": (0.5, 0.5, 0.5),
        "image_std": (0.5, 0.5, 0.5),
    },
    layers=r"(?:encoder\.layer|layers)\.(\d+)\.",
    dead=r"layernorm\.|pooler\.|embeddings\.mask_token$",
    build=build,
    read=read,
    pieces=lambda name, _shape: whole(renamed(name, RENAMED)),
)
