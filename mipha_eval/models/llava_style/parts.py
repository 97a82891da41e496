"""What a model of LLaVA's kind is made of: a vision tower, a projector and a causal decoder, in one project's layout."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import whole_of
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.language_models.language_model import LanguageModel
from mipha_eval.models.llava_style.layouts.layout import DECODER, HEAD, TOWER, Kind, Layout
from mipha_eval.models.llava_style.projectors import projector_named
from mipha_eval.models.llava_style.towers import tower_named
from mipha_eval.models.llava_style.towers.tower import Tower, TowerShape
from mipha_eval.models.llava_style.weight_piece import Pieces


@dataclass(frozen=True)
class Parts:
    """The parts, and which weights fill them.

    Attributes:
        tower_config: the tower's whole configuration.
        pixels: height and width of a picture.
        select_layer: how many of the tower's layers are run.
    """

    layout: Layout
    kind: Kind
    description: Description
    tower: Tower
    tower_config: JsonObject
    pixels: tuple[int, int]
    select_layer: int

    @classmethod
    def of(
        cls, layout: Layout, config: JsonObject, weights: Collection[str] = (), tower_config: JsonObject | None = None
    ) -> Parts:
        """The parts of an official ``config.json``; names of weights decide where that is silent.

        Args:
            tower_config: of the tower's own folder, for layouts that leave it there.

        Raises:
            UserError: a part is not supported.
        """
        described = layout.describe(config)
        if described.select_feature not in ("patch", "cls_patch"):
            raise UserError(f"mm_vision_select_feature {described.select_feature!r} is neither patch nor cls_patch")
        tower = tower_named(described.tower_name, weights)
        given = described.tower or tower_config or {}
        whole = given if described.tower and not layout.fills_tower else tower.filled(given)
        side = whole_of(whole, "image_size")
        if described.scales and (tower.class_token or described.scales[0] != side):
            raise UserError(f"scales {described.scales} do not go with a {tower.name} tower of {side} pixels")
        side = (side, *described.scales)[-1]
        projector, _ = projector_named(described.projector)
        if tower.class_token and described.select_feature == "cls_patch" and not projector.class_token:
            raise UserError(f"the {described.projector} projector takes no class token (mm_vision_select_feature cls_patch)")
        layer = _select_layer(described.select_layer, whole_of(whole, "num_hidden_layers"))
        kind = layout.kind(config, described.decoder, weights)
        return cls(layout, kind, described, tower, whole, (side, side), layer)

    @property
    def language_model(self) -> LanguageModel:
        return self.kind.language_model

    def shape(self, attention: str = "sdpa") -> TowerShape:
        """What of the tower is built."""
        square = self.description.scales[:1] * 2
        pixels = (square[0], square[1]) if square else self.pixels
        return TowerShape(self.tower_config, self.select_layer, pixels, attention)

    @property
    def keeps_class_token(self) -> bool:
        """Whether the tower's first token goes to the decoder, too."""
        return self.tower.class_token and self.description.select_feature == "cls_patch"

    @property
    def first_token(self) -> int:
        """Of the tower's output, the first that goes to the projector."""
        return int(self.description.select_feature == "patch" and (self.tower.class_token or self.description.drops_first))

    @property
    def image_tokens(self) -> int:
        """Tokens of a picture."""
        projector, _ = projector_named(self.description.projector)
        return projector.tokens(self.shape().grid) + self.tower.class_token - self.first_token

    @property
    def tower_width(self) -> int:
        """Width of what the projector is given."""
        return whole_of(self.tower_config, "hidden_size") * max(1, len(self.description.scales))

    @property
    def ties(self) -> bool:
        """Whether the head is the embedding of tokens."""
        return self.language_model.ties(self.description.decoder)

    def is_dead(self, key: str) -> bool:
        """Whether no answer depends on an official checkpoint's weight."""
        name = self.layout.module_name(key)
        if name.startswith(TOWER):
            return self.tower.is_dead(self._tower_name(name), self.select_layer)
        return name.endswith("rotary_emb.inv_freq") or (self.ties and name == f"{HEAD}weight")

    def pieces(self, key: str) -> Pieces:
        """What becomes of an official checkpoint's weight, by names in the network; empty for one of another model."""
        name = self.layout.module_name(key)
        if name.startswith(TOWER):
            found: Pieces = self.tower.pieces(self._tower_name(name), self.shape())
            return {TOWER + piece: change for piece, change in found.items()}
        if not name.startswith(DECODER):
            return self.language_model.pieces(name, self.description.decoder) if name else {}
        own = self.language_model.pieces(name[len(DECODER) :], self.description.decoder)
        return {DECODER + piece: change for piece, change in own.items()}

    def _tower_name(self, name: str) -> str:
        return name.removeprefix(TOWER).removeprefix(self.tower.prefix)

    def official(self, name: str) -> str:
        """The stored name of a weight of the network, where the modules have the official names."""
        if name.startswith(TOWER):
            name = TOWER + self.tower.prefix + name[len(TOWER) :]
        return self.layout.stored_name(name)


def _select_layer(layer: int, layers: int) -> int:
    """The number of encoder layers to run: hidden_states has one entry more than there are layers."""
    if not -layers - 1 <= layer <= layers:
        raise UserError(f"mm_vision_select_layer {layer} is outside the tower's {layers} layers")
    return layer % (layers + 1)
