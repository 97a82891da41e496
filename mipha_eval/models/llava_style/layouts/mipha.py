"""Mipha's checkpoints, and LLaVA-Phi's, from which it grew: parts in ``vision_config``, the tower among the weights."""

from __future__ import annotations

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import object_of, text_of, whole_of
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.language_models.gemma import GEMMA
from mipha_eval.models.llava_style.language_models.phi2 import PHI2
from mipha_eval.models.llava_style.language_models.phi3 import PHI3
from mipha_eval.models.llava_style.language_models.phi15 import PHI15
from mipha_eval.models.llava_style.layouts.layout import DECODER, HEAD, PROJECTOR, TOWER, Kind, Layout

PREFIXES = (
    ("model.vision_tower.", TOWER),
    ("model.mm_projector.", PROJECTOR),
    ("model.", DECODER),
    ("lm_head.", HEAD),
)


def describe(config: JsonObject) -> Description:
    """As `Layout.describe`."""
    vision = object_of(config, "vision_config")
    for part in ("vision_tower", "mm_projector"):
        if not isinstance(vision.get(part), dict):
            raise UserError(f"it has no vision_config.{part}")
    tower, projector = object_of(vision, "vision_tower"), object_of(vision, "mm_projector")
    aspect = config.get("image_aspect_ratio")
    return Description(
        decoder=config,
        tower=tower,
        tower_name=str(tower.get("vision_model_name_or_path") or ""),
        select_layer=whole_of({"mm_vision_select_layer": -2, **tower}, "mm_vision_select_layer"),
        select_feature=str(tower.get("mm_vision_select_feature", "patch")),
        projector=text_of({"mm_projector_type": "linear", **projector}, "mm_projector_type"),
        projector_widths=(whole_of(projector, "mm_hidden_size"), whole_of(projector, "hidden_size")),
        aspect=aspect if isinstance(aspect, str) else None,
        start_end=bool(config.get("mm_use_im_start_end")),
        patch_token=bool(config.get("mm_use_im_patch_token", True)),
    )


MIPHA = Layout(
    name="Mipha",
    model="mipha",
    source="zhuyiche/llava-phi at 21dafbf (package mipha)",
    kinds=(
        Kind("mipha_phi", PHI15, "v0"),
        Kind("mipha_phi", PHI2, "v0"),
        Kind("mipha_gemma", GEMMA, "gemma"),
        Kind("mipha_phi3", PHI3, "phi3"),
    ),
    fits=lambda _config: True,
    describe=describe,
    prefixes=PREFIXES,
)

LLAVA_PHI = Layout(
    name="LLaVA-Phi",
    model="llava",
    source="zhuyiche/llava-phi at 21dafbf (package llava_phi)",
    kinds=(Kind("llava_phi", PHI2, "phi"),),
    fits=lambda config: isinstance(config.get("vision_config"), dict),
    describe=describe,
    prefixes=PREFIXES,
    slow_tokenizer=lambda _config, base: base,
)
