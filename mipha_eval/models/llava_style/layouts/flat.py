"""Entries ``mm_*`` of a ``config.json``, as LLaVA's code writes them and many who built on it."""

from __future__ import annotations

from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import text_of, whole_of
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.layouts.layout import DECODER, HEAD, PROJECTOR, TOWER

#: an entry by which these checkpoints are told from those of transformers with the same model type
MARK = "mm_vision_tower"

#: as LLaVA's code names weights
PREFIXES = (
    ("model.vision_tower.vision_tower.", TOWER),
    ("model.mm_projector.", PROJECTOR),
    ("model.", DECODER),
    ("lm_head.", HEAD),
)


def describe_flat(config: JsonObject) -> Description:
    """What the entries say, as `Layout.describe`."""
    aspect = config.get("image_aspect_ratio")
    return Description(
        decoder=config,
        tower_name=text_of(config, MARK),
        select_layer=whole_of({"mm_vision_select_layer": -2, **config}, "mm_vision_select_layer"),
        select_feature=str(config.get("mm_vision_select_feature", "patch")),
        projector=text_of({"mm_projector_type": "linear", **config}, "mm_projector_type"),
        projector_widths=(whole_of(config, "mm_hidden_size"), whole_of(config, "hidden_size")),
        aspect=aspect if isinstance(aspect, str) else None,
        start_end=bool(config.get("mm_use_im_start_end")),
        patch_token=bool(config.get("mm_use_im_patch_token", True)),
    )
