"""How many tokens a picture has, for processors of LLaVA's family that were saved before they had to know it.

Until transformers 4.46 the model counted a picture's tokens, since then its processor does, from settings that older
checkpoints do not have. All of them follow from the model's configuration.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, ProcessorMixin

#: tokens that a vision tower makes beside those of its patches
BESIDE_PATCHES = {"clip_vision_model": 1, "siglip_vision_model": 0, "siglip2_vision_model": 0, "dinov2": 1}


class CountingProcessor(Protocol):
    """A processor that counts a picture's tokens itself."""

    patch_size: int
    vision_feature_select_strategy: str
    num_additional_image_tokens: int


def complete(folder: Path, processor: ProcessorMixin, config: PreTrainedConfig, saved: JsonObject) -> None:
    """Sets what a processor takes and its file does not say.

    Args:
        config: of the model.
        saved: the processor's file.

    Raises:
        UserError: the size of a patch stands nowhere.
    """
    if not {"patch_size", "vision_feature_select_strategy"} <= inspect.signature(type(processor).__init__).parameters.keys():
        return
    counting = cast(CountingProcessor, processor)
    tower = getattr(config, "vision_config", None)
    if saved.get("vision_feature_select_strategy") is None:
        # a configuration without it (VipLLaVA's) is of a model that always leaves the first token out
        counting.vision_feature_select_strategy = getattr(config, "vision_feature_select_strategy", "default")
    beside = BESIDE_PATCHES.get(getattr(tower, "model_type", ""))
    if saved.get("num_additional_image_tokens") is None and beside is not None:
        counting.num_additional_image_tokens = beside
    if saved.get("patch_size") is None:
        size = getattr(tower, "patch_size", None)
        if not isinstance(size, int):
            raise UserError(f"{folder}: neither processor_config.json nor config.json (vision_config) has a patch_size")
        counting.patch_size = size
