"""Phi-3: fused projections as in transformers, a sliding window where the configuration has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from transformers import Phi3Config

from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.language_models.language_model import LanguageModel, decoder_fields

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


def configure(config: JsonObject) -> PreTrainedConfig:
    """As `LanguageModel.configure`."""
    make: Callable[..., PreTrainedConfig] = Phi3Config
    return make(**decoder_fields(config))


PHI3 = LanguageModel(name="Phi-3", model_type="mipha_phi3", configure=configure, template="phi3")
