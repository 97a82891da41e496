"""What a family of vision towers is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import object_of, whole_of
from mipha_eval.models.llava_style.weight_piece import Pieces

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

if TYPE_CHECKING:

    class TowerModel(PreTrainedModel):  # type: ignore[no-untyped-call]
        """What is used of a tower's modules, whichever of them it has; no class of that name exists at run time."""

        config: PreTrainedConfig
        embeddings: TowerEmbeddings
        encoder: TowerEncoder
        layers: nn.ModuleList
        pre_layrnorm: nn.LayerNorm

    class TowerEmbeddings(nn.Module):
        """The beginning of a tower."""

        patch_embeddings: nn.Module
        cls_token: Tensor
        position_embeddings: Tensor

    class TowerEncoder(nn.Module):
        """The layers of a tower, under one of two names."""

        layers: nn.ModuleList
        layer: nn.ModuleList


#: what reads pixels [images, 3, height, width] to hidden states [images, tokens, width]
Read = Callable[["TowerModel", Tensor], Tensor]


@dataclass(frozen=True)
class TowerShape:
    """How much of a tower is built, and for which pixels.

    Attributes:
        config: the tower's configuration.
        layers: how many of its layers are run.
        pixels: height and width of a picture.
        attention: attention implementation of transformers.
    """

    config: JsonObject
    layers: int
    pixels: tuple[int, int]
    attention: str

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        patch = whole_of(self.config, "patch_size")
        return self.pixels[0] // patch, self.pixels[1] // patch


@dataclass(frozen=True, kw_only=True)
class Tower:
    """A family of vision towers.

    Attributes:
        name: as people write it.
        word: by which the official code tells it in a tower's name.
        mark: the end of a weight's name that no other family has.
        prefix: what transformers puts before the names of its weights.
        class_token: whether its first token stands for the whole picture.
        defaults: its configuration in transformers, which has what a tower's own ``config.json`` leaves out.
        any_size: whether it takes pictures of other sizes than ``image_size``.
        processor: settings of its image processor where a checkpoint does not say them.
        layers: where the names of its layers begin, with their number as a group.
        dead: names of weights, beside those of higher layers, that no answer depends on.
        build: the modules, without what is behind the last layer.
        read: runs them.
        pieces: what becomes of a weight of that name.
    """

    name: str
    word: str
    mark: str
    prefix: str
    class_token: bool
    defaults: Callable[..., PreTrainedConfig]
    any_size: bool = False
    processor: JsonObject
    layers: str
    dead: str
    build: Callable[[TowerShape], TowerModel]
    read: Read
    pieces: Callable[[str, TowerShape], Pieces]

    def filled(self, config: JsonObject) -> JsonObject:
        """The configuration with what transformers takes where a tower's own ``config.json`` says nothing."""
        own = object_of(config, "vision_config") if "vision_config" in config else config
        named: JsonObject = {
            name: value for name, value in own.items() if name not in ("model_type", "transformers_version")
        }
        return {**self.defaults(**named).to_dict(), **named}

    def is_dead(self, name: str, layers: int) -> bool:
        """Whether a weight belongs to a part that no answer depends on, where so many layers are run."""
        layer = re.match(self.layers, name)
        return re.match(self.dead, name) is not None or (layer is not None and int(layer[1]) >= layers)


def without(model: TowerModel, *names: str) -> TowerModel:
    """The model with nothing in place of these modules."""
    for name in names:
        model.register_module(name, nn.Identity())
    return model
