"""Mistral: Llama's layers behind a sliding window, which a null in the configuration takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transformers import MistralConfig

from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.llava_style.language_models.language_model import LanguageModel, decoder_fields, tied_if_said

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


def configure(config: JsonObject) -> PreTrainedConfig:
    """As `LanguageModel.configure`."""
    window = config.get("sliding_window", 4096)
    return MistralConfig(**{**decoder_fields(config), "sliding_window": window})  # type: ignore[arg-type]


MISTRAL = LanguageModel(name="Mistral", configure=configure, ties=tied_if_said)
