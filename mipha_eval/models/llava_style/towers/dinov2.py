"""DINOv2: a class token, scaled layers, positions interpolated to the picture as transformers 4.38 does it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers import AutoModel, Dinov2Config

from mipha_eval.models.llava_style.towers.clip import CLIP
from mipha_eval.models.llava_style.towers.positions import interpolated
from mipha_eval.models.llava_style.towers.tower import Tower, TowerShape, without
from mipha_eval.models.llava_style.weight_piece import Pieces, cut, renamed, whole

if TYPE_CHECKING:
    from mipha_eval.models.llava_style.towers.tower import TowerModel

FIELDS = (
    *("hidden_size", "num_attention_heads", "num_channels", "patch_size", "hidden_act", "layer_norm_eps"),
    *("mlp_ratio", "qkv_bias", "use_swiglu_ffn"),
)

#: names before transformers 5 -> names since
RENAMED = (
    (r"attention\.attention\.(q|k|v)(uery|ey|alue)\.", r"attention.\1_proj."),
    (r"attention\.output\.dense\.", "attention.o_proj."),
    (r"mlp\.weights_out\.", "mlp.down_proj."),
)


def build(shape: TowerShape) -> TowerModel:
    """Without the final norm; with as many positions as the pictures have patches."""
    configuration: Callable[..., Dinov2Config] = Dinov2Config
    fields = {field: shape.config[field] for field in FIELDS}
    config = configuration(**fields, image_size=shape.pixels, num_hidden_layers=shape.layers, use_mask_token=False)
    make: Callable[..., TowerModel] = AutoModel.from_config
    return without(make(config, attn_implementation=shape.attention), "layernorm")


def read(model: TowerModel, pixels: Tensor) -> Tensor:
    """As `Tower.read`."""
    begin = model.embeddings
    patches = begin.patch_embeddings(pixels)
    hidden: Tensor = torch.cat([begin.cls_token.expand(len(patches), -1, -1), patches], dim=1) + begin.position_embeddings
    for layer in model.encoder.layer:
        hidden = layer(hidden)
    return hidden


def pieces(name: str, shape: TowerShape) -> Pieces:
    """As `Tower.pieces`."""
    if name == "embeddings.position_embeddings":
        return {name: partial(interpolated, grid=shape.grid)}
    if ".mlp.weights_in." in name:  # SwiGLU's two halves
        return cut([name.replace("weights_in", each) for each in ("gate_proj", "up_proj")])
    return whole(renamed(name, RENAMED))


DINOV2 = Tower(
    name="DINOv2",
    word="dinov2",
    mark="layer_scale1.lambda1",
    prefix="dinov2.",
    class_token=True,
    defaults=Dinov2Config,
    any_size=True,
    processor=CLIP.processor,  # transformers' BitImageProcessor has the same
    layers=r"encoder\.layer\.(\d+)\.",
    dead=r"layernorm\.|embeddings\.mask_token$",
    build=build,
    read=read,
    pieces=pieces,
)
