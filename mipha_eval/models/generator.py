"""The part of a model that generates: the model itself, or the language model in it that its own `generate` calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from transformers import GenerationMixin

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedConfig

    from mipha_eval.models.generating_model import GeneratingModel


def generates_itself(owner: type[nn.Module]) -> bool:
    """Whether models of a class generate by transformers' own loop, called with all inputs of their forward."""
    return getattr(owner, "generate", None) is GenerationMixin.generate


def generator_of(model: GeneratingModel) -> GeneratingModel:
    """What generates, and whose generation settings are in force.

    BLIP-2, InstructBLIP and Kosmos-2 read pictures in a `generate` of their own, which calls the language model's.
    """
    parts = [part for part in model.children() if isinstance(part, GenerationMixin)]
    return model if generates_itself(type(model)) or len(parts) != 1 else cast("GeneratingModel", parts[0])


def is_encoded(config: PreTrainedConfig) -> bool:
    """Whether an encoder reads prompts and a decoder begins answers anew."""
    return bool(config.is_encoder_decoder or config.get_text_config(decoder=True).is_encoder_decoder)
