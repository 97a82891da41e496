"""Names of weights in transformers' LLaVA, as its checkpoints on the hub have them, which all of its versions read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mipha_eval.models.llava_style.layouts.layout import DECODER, HEAD, PROJECTOR, TOWER
from mipha_eval.models.llava_style.weight_piece import renamed

#: what stands before the names of weights of the network here, in files, and in the modules of transformers
PLACES = (
    (f"{TOWER}", "vision_tower.vision_model.", "model.vision_tower."),
    (f"{PROJECTOR}0.", "multi_modal_projector.linear_1.", "model.multi_modal_projector.linear_1."),
    (f"{PROJECTOR}2.", "multi_modal_projector.linear_2.", "model.multi_modal_projector.linear_2."),
    (f"{DECODER}", "language_model.model.", "model.language_model."),
    (f"{HEAD}", "language_model.lm_head.", "lm_head."),
)

#: names in files of any version -> names of the network here
READ: Sequence[tuple[str, str]] = (
    (r"^(?:model\.)?vision_tower\.(?:vision_model\.)?", TOWER),
    (r"^(?:model\.)?multi_modal_projector\.linear_1\.", f"{PROJECTOR}0."),
    (r"^(?:model\.)?multi_modal_projector\.linear_2\.", f"{PROJECTOR}2."),
    (r"^(?:language_model\.)?lm_head\.", HEAD),
    (r"^(?:model\.language_model\.(?:model\.)?|language_model\.(?:model\.)?)", DECODER),
)


def stored_name(name: str) -> str:
    """The name in a file of a weight of the network."""
    return _replaced(name, 1)


def module_name(name: str) -> str:
    """The name among transformers' modules of a weight of the network."""
    return _replaced(name, 2)


def _replaced(name: str, column: int) -> str:
    return next(place[column] + name[len(place[0]) :] for place in PLACES if name.startswith(place[0]))


def network_name(name: str) -> str:
    """The network's name of a weight in a file of transformers; "" for one of another model."""
    found = next(((pattern, own) for pattern, own in READ if re.match(pattern, name)), None)
    return renamed(name, [found]) if found else ""
