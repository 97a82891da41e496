"""Phi-2: as transformers has it. The official class never ties the head to the embedding, whatever config.json says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from transformers import PhiConfig

from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.language_models.language_model import LanguageModel, decoder_fields

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


def configure(config: JsonObject) -> PreTrainedConfig:
    """As `LanguageModel.configure`."""
    make: Callable[..., PreTrainedConfig] = PhiConfig
    return make(**decoder_fields(config))


PHI2 = LanguageModel(name="Phi-2", model_type="mipha_phi", configure=configure, template="v0")
