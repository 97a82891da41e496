"""``config.json`` of LLaVA's own layout for a LLaVA of transformers."""

from __future__ import annotations

from pathlib import Path

from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.models.conversion.native_config import ROPE, SHARED
from mipha_eval.models.conversion.native_prompt import NAMED
from mipha_eval.models.conversion.native_source import KINDS, NativeSource
from mipha_eval.models.llava_style.layouts.flat import MARK
from mipha_eval.models.llava_style.prompt import IMAGE_END, IMAGE_MARK, IMAGE_START
from mipha_eval.models.settings import read_settings

#: entries that all configurations have and that this one needs
COMMON = (*(f"{name}_id" for name in NAMED), "tie_word_embeddings")


def flat_config(source: NativeSource, tower: Path, rows: int) -> JsonObject:
    """The whole ``config.json``.

    Args:
        tower: the vision tower's folder.
        rows: of the embedding, without those that were added for images.
    """
    config = source.config
    kind, owner = KINDS[source.text.model_type]
    said = read_settings(source.folder / "config.json")
    feature = "cls_patch" if source.tower.class_token and config.vision_feature_select_strategy == "full" else "patch"
    return {
        "architectures": [owner],
        "model_type": kind,
        **_decoder_entries(source),
        "vocab_size": rows,
        "tie_word_embeddings": bool(config.tie_word_embeddings),
        "torch_dtype": next((said[name] for name in SHARED if said.get(name)), None),
        "image_aspect_ratio": "pad" if _pads(source) else "square",
        "mm_hidden_size": source.vision.to_dict()["hidden_size"],
        "mm_projector_type": "mlp2x_gelu",
        "mm_use_im_patch_token": bool(source.kept.get("mm_use_im_patch_token", False)),
        "mm_use_im_start_end": _has_marks(source),
        "mm_vision_select_feature": feature,
        "mm_vision_select_layer": config.vision_feature_layer,
        MARK: str(tower),
        "use_mm_proj": True,
    }


def _decoder_entries(source: NativeSource) -> JsonObject:
    """What configures the decoder, with rotary positions as versions before 5 read them."""
    from transformers import PreTrainedConfig

    text = source.text
    own = {*type(text)().to_dict()} - {*PreTrainedConfig().to_dict(), "model_type", "rope_parameters"} | {*COMMON}
    found: dict[str, Json] = {
        name: value
        for name, value in text.to_dict().items()
        if name in own and (value is not None or name == "sliding_window")
    }
    return {**found, **_rope(source)}


def _rope(source: NativeSource) -> JsonObject:
    """Base and scaling of rotary positions."""
    said = read_settings(source.folder / "config.json").get("text_config")
    if isinstance(said, dict) and (old := {name: said[name] for name in ROPE if name in said}):
        return old
    made: dict[str, Json] = dict(source.text.to_dict().get("rope_parameters") or {})
    theta, kind = made.pop("rope_theta", 10000.0), made.pop("rope_type", "default")
    return {"rope_theta": theta, "rope_scaling": None if kind == "default" else {"type": kind, **made}}


def image_settings(source: NativeSource) -> JsonObject:
    """Settings of the image processor, wherever they stand."""
    for name in ("processor_config.json", "preprocessor_config.json"):
        file = source.folder / name
        said = read_settings(file) if file.is_file() else {}
        own = said.get("image_processor", said if name.startswith("pre") else None)
        if isinstance(own, dict):
            return own
    return {}


def _pads(source: NativeSource) -> bool:
    return bool(image_settings(source).get("do_pad"))


def tower_config(source: NativeSource) -> JsonObject:
    """``config.json`` of the tower's own folder."""
    from transformers import PreTrainedConfig

    vision = source.vision
    own = {*type(vision)().to_dict()} - {*PreTrainedConfig().to_dict()}
    entries = {name: value for name, value in vision.to_dict().items() if name in own and value is not None}
    return {"architectures": [f"{source.tower.name.capitalize()}VisionModel"], **entries, "model_type": vision.model_type}


def tower_processor(source: NativeSource) -> JsonObject:
    """``preprocessor_config.json`` of the tower's own folder; padding is the whole model's."""
    said = {name: value for name, value in image_settings(source).items() if name not in ("do_pad", "processor_class")}
    return {**said, "image_processor_type": f"{source.tower.name}ImageProcessor".replace("SigLIP", "Siglip")}


def _has_marks(source: NativeSource) -> bool:
    """Whether its prompts have images between tokens of their own."""
    return f"{IMAGE_START}{IMAGE_MARK}{IMAGE_END}" in source.chat.render("?", 1)
