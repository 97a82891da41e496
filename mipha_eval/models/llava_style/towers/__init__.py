"""Vision towers, a file a family. Another one is one more file and one more name here."""

from __future__ import annotations

from collections.abc import Collection

from mipha_eval.core.errors import UserError
from mipha_eval.models.llava_style.towers.clip import CLIP
from mipha_eval.models.llava_style.towers.dinov2 import DINOV2
from mipha_eval.models.llava_style.towers.siglip import SIGLIP
from mipha_eval.models.llava_style.towers.tower import Tower
from mipha_eval.models.llava_style.towers.vit import VIT

#: in the order in which the official code looks for their words
TOWERS = (CLIP, SIGLIP, DINOV2, VIT)


def tower_named(name: str, weights: Collection[str] = ()) -> Tower:
    """The tower that a configuration's name speaks of, else the one whose weights are there.

    Raises:
        UserError: it is none of `TOWERS`.
    """
    named = [tower for tower in TOWERS if tower.word in name.lower()]
    marked = [tower for tower in TOWERS if any(weight.endswith(tower.mark) for weight in weights)]
    if not named and not marked:
        supported = ", ".join(tower.name for tower in TOWERS)
        raise UserError(f"vision tower {name!r} is not supported; supported: {supported}")
    return (named or marked)[0]
