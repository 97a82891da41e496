"""Which model runs a checkpoint, by its settings alone."""

from __future__ import annotations

from pathlib import Path

from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
)

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.llava_style.layouts import LAYOUTS, REFUSED
from mipha_eval.models.settings import read_settings
from mipha_eval.models.weights_check import LLAVA_ENTRIES


def model_for(folder: Path, base: Path | None = None) -> str:
    """The name of the model that runs a checkpoint, or that says best why none does.

    Args:
        base: what it was trained on, if it is no whole model itself.

    Raises:
        UserError: it has no settings that can be read.
    """
    own = folder / "config.json"
    if not own.is_file() and (folder / "adapter_config.json").is_file():
        own = (base or folder) / "config.json"
        return _named(read_settings(own)) if own.is_file() else "llava"
    return _named(read_settings(own))


def sure_model_for(folder: Path) -> str:
    """As `model_for`, for a checkpoint of which that is beyond doubt.

    Raises:
        UserError: it has no settings that can be read, is no whole model, or nobody here knows its kind.
    """
    if not (folder / "config.json").is_file() and (folder / "adapter_config.json").is_file():
        raise UserError(f"{folder} is an adapter of a model; give llava as the model, with path={folder} and base=MODEL")
    config = read_settings(folder / "config.json")
    found, kind = _named(config), str(config.get("model_type"))
    if found == "hf-chat" and kind not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        raise UserError(f"no model is known to run {folder}, of type {kind}; name one, such as hf-chat with path={folder}")
    return found


def _named(config: JsonObject) -> str:
    kind = str(config.get("model_type"))
    layout = next((each for each in LAYOUTS if kind in each.model_types and each.fits(config)), None)
    if layout:
        return layout.model
    if kind.startswith("mipha"):
        return "mipha"
    if any(entry in config for entry in LLAVA_ENTRIES):
        return "llava"
    if kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return "hf-chat"
    if kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        return "hf-text"
    ours = kind in REFUSED or any(kind in each.model_types for each in LAYOUTS) or kind.startswith("moe_llava")
    return "llava" if ours else "hf-chat"
