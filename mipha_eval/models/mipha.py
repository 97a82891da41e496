"""The Mipha network: a vision tower, a projector and a causal decoder, in the official checkpoint's layout.

Source of the layout: zhuyiche/llava-phi at 21dafbf (package ``mipha``). The tower stops at the layer that the official
code reads (``mm_vision_select_layer``), so what is behind it does not exist here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import object_of, whole_of
from mipha_eval.models.language_models import language_model_of
from mipha_eval.models.language_models.language_model import LanguageModel
from mipha_eval.models.projectors import build_projector
from mipha_eval.models.towers import tower_named
from mipha_eval.models.towers.tower import Tower, TowerShape
from mipha_eval.models.weight_piece import Pieces

if TYPE_CHECKING:
    from mipha_eval.models.generating_model import GeneratingModel

#: official prefix of the tower's weights -> of its modules in `MiphaNetwork`
TOWER_PREFIX, TOWER_MODULE = "model.vision_tower.", "vision_tower."

#: official key prefix -> prefix in `MiphaNetwork`, of the rest; the first that fits counts
KEY_PREFIXES = (("model.mm_projector.", "mm_projector."), ("model.", "decoder.model."), ("lm_head.", "decoder.lm_head."))

#: where the weight of a head that is the embedding would stand
HEAD, EMBEDDING = "decoder.lm_head.weight", "decoder.model.embed_tokens.weight"


@dataclass(frozen=True)
class Parts:
    """What a Mipha is made of.

    Attributes:
        config: the official ``config.json``.
        pixels: height and width of a picture.
        select_layer: how many of the tower's layers are run.
    """

    config: JsonObject
    tower: Tower
    language_model: LanguageModel
    pixels: tuple[int, int]
    select_layer: int

    @classmethod
    def of(cls, config: JsonObject, weights: Collection[str] = (), pixels: tuple[int, int] | None = None) -> Parts:
        """The parts of an official ``config.json``; names of weights decide where that is silent.

        Raises:
            UserError: a part is not supported.
        """
        tower = tower_of(config)
        side = whole_of(tower, "image_size")
        kind = tower_named(str(tower.get("vision_model_name_or_path", "")), weights)
        language_model = language_model_of(config.get("model_type"), weights)
        return cls(config, kind, language_model, pixels or (side, side), _select_layer(tower))

    def shape(self, attention: str = "sdpa") -> TowerShape:
        """What of the tower is built."""
        return TowerShape(tower_of(self.config), self.select_layer, self.pixels, attention)

    @property
    def keeps_class_token(self) -> bool:
        """Whether the tower's first token goes to the decoder, too."""
        return self.tower.class_token and tower_of(self.config).get("mm_vision_select_feature") == "cls_patch"

    @property
    def image_tokens(self) -> int:
        """Tokens of a picture."""
        rows, columns = self.shape().grid
        return rows * columns + self.keeps_class_token

    @property
    def ties(self) -> bool:
        """Whether the head is the embedding of tokens."""
        return self.language_model.ties(self.config)

    def is_dead(self, key: str) -> bool:
        """Whether no answer depends on an official checkpoint's weight."""
        if key.startswith(TOWER_PREFIX):
            return self.tower.is_dead(self._tower_name(key), self.select_layer)
        return key.endswith("rotary_emb.inv_freq") or (self.ties and key == "lm_head.weight")

    def pieces(self, key: str) -> Pieces:
        """What becomes of an official checkpoint's weight, by names in `MiphaNetwork`; empty for one of another model."""
        if key.startswith(TOWER_PREFIX):
            found: Pieces = self.tower.pieces(self._tower_name(key), self.shape())
            return {TOWER_MODULE + name: change for name, change in found.items()}
        for prefix, module in KEY_PREFIXES:
            if key.startswith(prefix):
                own = self.language_model.pieces(key[len(prefix) :], self.config)
                return {module + name: change for name, change in own.items()}
        return {}

    def _tower_name(self, key: str) -> str:
        return key.removeprefix(TOWER_PREFIX).removeprefix(self.tower.prefix)

    def official(self, name: str) -> str:
        """The official key of a weight of `MiphaNetwork`, where the modules have the official names. Raises KeyError."""
        if name.startswith(TOWER_MODULE):
            return TOWER_PREFIX + self.tower.prefix + name[len(TOWER_MODULE) :]
        for prefix, module in KEY_PREFIXES:
            if name.startswith(module):
                return prefix + name[len(module) :]
        raise KeyError(name)


class MiphaNetwork(nn.Module):
    """Weights and the two halves of the forward pass; prompts, pixels and decoding live elsewhere.

    Args:
        attention: attention implementation of transformers, ``sdpa`` or ``eager``.

    Attributes:
        image_scale: what features of images are multiplied with on their way into the decoder.
    """

    def __init__(self, parts: Parts, attention: str = "sdpa") -> None:
        super().__init__()
        config, tower = parts.config, tower_of(parts.config)
        self._read = parts.tower.read
        self._first = int(parts.tower.class_token and not parts.keeps_class_token)
        self.image_scale = parts.language_model.image_scale(config)
        self.vision_tower = parts.tower.build(parts.shape(attention))
        ends = whole_of(tower, "hidden_size"), whole_of(config, "hidden_size")
        self.mm_projector = build_projector(object_of(object_of(config, "vision_config"), "mm_projector"), ends)
        build: Callable[..., GeneratingModel] = AutoModelForCausalLM.from_config
        self.decoder = build(parts.language_model.configure(config), attn_implementation=attention)

    def image_features(self, pixels: Tensor) -> Tensor:
        """Maps pixels [images, 3, height, width] to features [images, tokens, hidden]."""
        features: Tensor = self.mm_projector(self.patch_features(pixels))
        return features

    def patch_features(self, pixels: Tensor) -> Tensor:
        """Maps pixels [images, 3, height, width] to the tower's output [images, tokens, width]."""
        return self._read(self.vision_tower, pixels)[:, self._first :]

    def image_inputs(self, features: Tensor) -> Tensor:
        """Maps features [..., hidden] to decoder inputs of the same shape."""
        return features if self.image_scale == 1 else features * features.new_tensor(self.image_scale)

    def text_features(self, ids: Tensor) -> Tensor:
        """Maps token ids [..., length] to decoder inputs [..., length, hidden]."""
        features: Tensor = self.decoder.get_input_embeddings()(ids)
        return features

    def fill(self, weights: Mapping[str, Tensor], *, ties: bool) -> None:
        """Takes the weights as they are, without a copy; `ties` as in `Parts`."""
        head = {HEAD: weights[EMBEDDING]} if ties else {}
        self.load_state_dict({**weights, **head}, assign=True)
        if ties:
            self.decoder.lm_head.weight = self.decoder.get_input_embeddings().weight


def tower_of(config: JsonObject) -> JsonObject:
    """The vision tower's part of an official ``config.json``."""
    return object_of(object_of(config, "vision_config"), "vision_tower")


def _select_layer(tower: JsonObject) -> int:
    """The number of encoder layers to run: hidden_states has one entry more than there are layers."""
    states = whole_of(tower, "num_hidden_layers") + 1
    layer = whole_of({"mm_vision_select_layer": -2, **tower}, "mm_vision_select_layer")
    if not -states <= layer < states:
        raise UserError(f"mm_vision_select_layer {layer} is outside the tower's {states - 1} layers")
    return layer % states
