"""Gemma as transformers 4.38.2 has it, which the official code runs with.

All inputs of the first layer are scaled by the root of the width there, features of images too, and the activation is what
the configuration says; transformers 5 scales text alone and takes ``gelu`` for its tanh form.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from transformers import GemmaConfig

from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import text_of, whole_of
from mipha_eval.models.llava_style.language_models.language_model import LanguageModel, decoder_fields

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


def configure(config: JsonObject) -> PreTrainedConfig:
    """As `LanguageModel.configure`."""
    return _with_activation(config, text_of({"hidden_act": "gelu", **config}, "hidden_act"))


def configure_later(config: JsonObject) -> PreTrainedConfig:
    """The same by transformers from 4.39 on, which takes the tanh form unless ``hidden_activation`` says otherwise."""
    return _with_activation(config, str(config.get("hidden_activation") or "gelu_pytorch_tanh"))


def _with_activation(config: JsonObject, activation: str) -> PreTrainedConfig:
    make: Callable[..., GemmaConfig] = GemmaConfig
    made = make(**decoder_fields(config))
    made.hidden_act = activation
    made.tie_word_embeddings = ties(config)
    return made


def ties(config: JsonObject) -> bool:
    """Whether the head is the embedding, as it is where nothing is said."""
    return bool(config.get("tie_word_embeddings", True))


GEMMA = LanguageModel(
    name="Gemma",
    configure=configure,
    ties=ties,
    image_scale=lambda config: whole_of(config, "hidden_size") ** 0.5,
)

#: as TinyLLaVA has it, which runs with transformers 4.40
GEMMA_TANH = dataclasses.replace(GEMMA, configure=configure_later)
