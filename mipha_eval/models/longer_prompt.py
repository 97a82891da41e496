"""A prompt with the beginning of an answer behind it, as one forward pass reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from mipha_eval.models.forward_inputs import ForwardInputs, tensor_of

if TYPE_CHECKING:
    from transformers.utils.generic import ModelOutput

    from mipha_eval.models.generating_model import GeneratingModel


class Nothing(dict[str, object]):
    """The output of a pass that read nothing: whatever is asked for is not there."""

    def __getattr__(self, name: str) -> None:
        return None


def decoder_inputs(model: GeneratingModel, inputs: ForwardInputs, ids: Sequence[int]) -> ForwardInputs:
    """The arguments of an encoder with its decoder, which has begun an answer as its generation settings say."""
    settings = model.generation_config
    start = settings.bos_token_id if settings.decoder_start_token_id is None else settings.decoder_start_token_id
    begin = [token for token in (start, settings.forced_bos_token_id) if token is not None]
    return {**inputs, "decoder_input_ids": torch.tensor([[*begin, *ids]], dtype=torch.long, device=model.device)}


def longer_prompt(model: GeneratingModel, inputs: ForwardInputs, ids: Sequence[int]) -> ForwardInputs:
    """The arguments with tokens behind the prompt.

    What goes with its tokens (masks, kinds) grows as `generate` lets it; masks that a model lets grow elsewhere are
    continued as they end.
    """
    prompt, embedded = tensor_of(inputs, "input_ids"), tensor_of(inputs, "inputs_embeds")
    device = next((each.device for each in (prompt, embedded) if each is not None), model.device)
    tokens = torch.tensor([ids], dtype=torch.long, device=device)
    updated, nothing_new = dict(inputs), cast("ModelOutput", Nothing())
    for _ in ids:
        given = {**updated, "use_cache": False}
        updated = model._update_model_kwargs_for_generation(nothing_new, given, is_encoder_decoder=False)
    longer = {name: updated[name] for name in inputs}
    if prompt is not None:
        longer["input_ids"] = torch.cat([prompt, tokens], dim=1)
    if embedded is not None:
        longer["inputs_embeds"] = torch.cat([embedded, model.get_input_embeddings()(tokens).to(device)], dim=1)
    length = next((each.shape[1] for each in (prompt, embedded) if each is not None), 0)
    for name, value in masks_of(longer, length).items():
        longer[name] = torch.cat([value, *[value[:, -1:]] * len(ids)], dim=1)
    for name, kinds in kinds_of(longer, length).items():
        longer[name] = torch.cat([kinds, torch.zeros_like(tokens, dtype=kinds.dtype)], dim=1)
    return longer


def kinds_of(inputs: ForwardInputs, length: int) -> Mapping[str, Tensor]:
    """What is said of each of the `length` tokens of a prompt, text or image; all that follows is text, which is 0."""
    named = {name: tensor_of(inputs, name) for name in inputs if name.endswith("token_type_ids")}
    return {name: kinds for name, kinds in named.items() if kinds is not None and kinds.shape[1] == length}


def masks_of(inputs: ForwardInputs, length: int) -> Mapping[str, Tensor]:
    """Masks that go with the `length` tokens of a prompt, not with pixels, an encoder's states or other ids."""
    own = [name for name in inputs if name.endswith("_mask") and not name.startswith(("pixel", "encoder"))]
    masks = {name: tensor_of(inputs, name) for name in own}
    return {
        name: mask
        for name, mask in masks.items()
        if mask is not None
        and mask.ndim > 1
        and mask.shape[1] == length
        and name.removesuffix("attention_mask") + "input_ids" not in inputs.keys() - {"input_ids"}
    }
