"""CLIP: a class token, a norm before the first layer, the shortest edge resized and the middle cut out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PIL import Image
from torch import Tensor
from transformers import AutoModel, CLIPVisionConfig

from mipha_eval.models.llava_style.towers.siglip import FIELDS
from mipha_eval.models.llava_style.towers.tower import Tower, TowerShape, without
from mipha_eval.models.llava_style.weight_piece import whole

if TYPE_CHECKING:
    from mipha_eval.models.llava_style.towers.tower import TowerModel


def build(shape: TowerShape) -> TowerModel:
    """Without the final norm, which the official code never applies to patches."""
    configuration: Callable[..., CLIPVisionConfig] = CLIPVisionConfig
    config = configuration(**{field: shape.config[field] for field in FIELDS}, num_hidden_layers=shape.layers)
    make: Callable[..., TowerModel] = AutoModel.from_config
    return without(make(config, attn_implementation=shape.attention), "post_layernorm")


def read(model: TowerModel, pixels: Tensor) -> Tensor:
    """As `Tower.read`."""
    hidden: Tensor = model.pre_layrnorm(model.embeddings(pixels))
    for layer in model.encoder.layers:
        hidden = layer(hidden, None)
    return hidden


CLIP = Tower(
    name="CLIP",
    word="clip",
    mark="pre_layrnorm.weight",
    prefix="vision_model.",
    class_token=True,
    defaults=CLIPVisionConfig,
    processor={
        "size": {"shortest_edge": 224},
        "crop_size": {"height": 224, "width": 224},
        "resample": Image.Resampling.BICUBIC,
        "image_mean": (0.48145466, 0.4578275, 0.40821073),
        "image_std": (0.26862954, 0.26130258, 0.27577711),
    },
    layers=r"encoder\.layers\.(\d+)\.",
    dead=r"post_layernorm\.|embeddings\.position_ids$",
    build=build,
    read=read,
    pieces=lambda name, _shape: whole(name),
)
