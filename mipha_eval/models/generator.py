"""The part of a model that generates: the model itself, or the language model in it that its own `generate` calls."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast

from torch import Tensor
from transformers import GenerationMixin

from mipha_eval.models.forward_inputs import ForwardInputs

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


class _HandedOverError(Exception):
    """Ends a call of `generate` where another part would begin."""


def handed_over(model: GeneratingModel, inputs: ForwardInputs) -> ForwardInputs:
    """What a model's generator reads of a prompt when the model generates; `inputs` where that is the model."""
    if generator_of(model) is model:
        return inputs
    found = _arguments(model, inputs)
    if "inputs_embeds" in found:  # they say what the ids say
        found.pop("input_ids", None)
    return {name: value for name, value in found.items() if isinstance(value, Tensor)}


def own_end(model: GeneratingModel, inputs: ForwardInputs) -> object:
    """The end token, or end tokens, that a model's own `generate` tells its generator; None where its settings decide."""
    return None if generator_of(model) is model else _arguments(model, inputs).get("eos_token_id")


def _arguments(model: GeneratingModel, inputs: ForwardInputs) -> dict[str, object]:
    """What a model's generator is called with."""
    generator = generator_of(model)
    found: dict[str, object] = {}

    def take(**arguments: object) -> None:
        found.update({name: value for name, value in arguments.items() if value is not None})
        raise _HandedOverError

    generator.generate = take  # type: ignore[assignment]
    try:
        with contextlib.suppress(_HandedOverError):
            model.generate(**inputs)
    finally:
        del generator.generate
    return found


def is_encoded(config: PreTrainedConfig) -> bool:
    """Whether an encoder reads prompts and a decoder begins answers anew."""
    return bool(config.is_encoder_decoder or config.get_text_config(decoder=True).is_encoder_decoder)
