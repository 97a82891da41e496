"""TinyLLaVA Factory's checkpoints: ``text_config`` and ``vision_config`` as transformers has them, all weights in one."""

from __future__ import annotations

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import object_of, text_of, whole_of
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.language_models.gemma import GEMMA_TANH
from mipha_eval.models.llava_style.language_models.llama import LLAMA
from mipha_eval.models.llava_style.language_models.phi2 import PHI2
from mipha_eval.models.llava_style.language_models.qwen2 import QWEN2
from mipha_eval.models.llava_style.layouts.layout import DECODER, HEAD, PROJECTOR, TOWER, Kind, Layout


def describe(config: JsonObject) -> Description:
    """As `Layout.describe`. Raises UserError for several views of a picture, and for two towers."""
    aspect = text_of({"image_aspect_ratio": "square", **config}, "image_aspect_ratio")
    if aspect == "anyres":
        raise UserError("it has image_aspect_ratio 'anyres', which is not supported")
    if config.get("vision_model_name_or_path2"):
        raise UserError("it has two vision towers (vision_model_name_or_path2), which is not supported")
    text, vision = object_of(config, "text_config"), object_of(config, "vision_config")
    return Description(
        decoder=text,
        tower=vision,
        tower_name=str(config.get("vision_model_name_or_path") or vision.get("model_name_or_path") or ""),
        select_layer=whole_of({"vision_feature_layer": -2, **config}, "vision_feature_layer"),
        select_feature=str(config.get("vision_feature_select_strategy", "patch")),
        drops_first=True,
        projector=text_of(config, "connector_type"),
        aspect=aspect,
        patch_token=False,
    )


TINYLLAVA = Layout(
    name="TinyLLaVA",
    model="llava",
    source="TinyLLaVA/TinyLLaVA_Factory at 53f12c7",
    kinds=(
        Kind("tinyllava", PHI2, "phi", text_type="phi"),
        Kind("tinyllava", LLAMA, "vicuna_v1", text_type="llama"),
        Kind("tinyllava", QWEN2, "vicuna_v1", text_type="qwen2"),
        Kind("tinyllava", GEMMA_TANH, "vicuna_v1", text_type="gemma"),
    ),
    fits=lambda config: isinstance(config.get("text_config"), dict),
    describe=describe,
    prefixes=(
        ("vision_tower._vision_tower.", TOWER),
        ("connector._connector.", PROJECTOR),
        ("language_model.model.", DECODER),
        ("language_model.lm_head.", HEAD),
    ),
    fills_tower=True,
    strips_question=True,
    ends="decoder",
    stop_words="never",
    slow_tokenizer=lambda config, _base: not config.get("tokenizer_use_fast"),
    seen="nothing",
)
