"""Answers the way transformers itself gives them: whole prompts, its own attention, cache and generation loop.

Attention, cache and decoding are not the packed path's, so that the two can prove each other; weights, prompts and what is
made of an answer's first logits are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn
from transformers import GenerationConfig, LogitsProcessorList
from transformers.utils.generic import ModelOutput

from mipha_eval.models.forward_inputs import ForwardInputs, tensor_of
from mipha_eval.models.generation import Manner
from mipha_eval.models.prefix import Answer, Options
from mipha_eval.models.prefix_decoder import begun

if TYPE_CHECKING:
    from mipha_eval.models.generating_model import GeneratingModel


class WithLogits(Protocol):
    """What a network with a head puts out."""

    logits: Tensor


@torch.inference_mode()
def generate(
    model: GeneratingModel, inputs: ForwardInputs, manner: Manner, probabilities: Sequence[Sequence[float]]
) -> list[Answer]:
    """Answers to left-padded prompts, greedy but for what `manner` says.

    Args:
        inputs: arguments of the model's forward.
        probabilities: as in `Answer`, of each prompt.
    """
    stop = manner.stop
    make: Callable[..., GenerationConfig] = GenerationConfig
    settings = make(
        do_sample=False,
        max_new_tokens=stop.limit,
        return_dict_in_generate=True,
        **{"pad_token_id": min(stop.ends), **manner.settings, "eos_token_id": sorted(stop.ends)},
    )
    model.generation_config = settings  # transformers adds the model's own to what it is told
    first: list[Tensor] = []

    def note(_model: nn.Module, _arguments: object, output: WithLogits) -> None:
        if not first:
            first.append(output.logits[:, -1].clone())

    listening = model.register_forward_hook(note)  # what the model says, before any setting changes it
    try:
        steering = LogitsProcessorList(manner.steering)
        made = model.generate(**inputs, generation_config=settings, logits_processor=steering)
    finally:
        listening.remove()
    if not first:
        raise RuntimeError("transformers generated nothing")
    answers = begun(first[0][:: len(first[0]) // len(probabilities)], probabilities)  # the first beam of each prompt
    for answer, ids in zip(answers, made.sequences[:, _before(model, inputs) :].tolist(), strict=True):
        answer.ids[:] = ids[: next((end for end in range(1, len(ids)) if stop.ended(ids[:end])), len(ids))]
    return answers


def _before(model: GeneratingModel, inputs: ForwardInputs) -> int:
    """How many ids stand before an answer in what `generate` returns."""
    if model.config.is_encoder_decoder:
        return 1
    ids = tensor_of(inputs, "input_ids")
    return 0 if ids is None else ids.shape[1]


@torch.inference_mode()
def rank(model: GeneratingModel, inputs: ForwardInputs, options: Options) -> list[float]:
    """Log-probability of each option as the answer to one prompt: a plain forward pass over the prompt and the option.

    Nothing is kept from one pass for the next: what a cache does not hold, such as which tokens may look at which picture,
    could be lost on the way. Options that differ in their last token alone share a pass.
    """
    logs: dict[tuple[int, ...], Tensor] = {}
    for ids in options:
        if ids[:-1] not in logs:
            read = model(**_longer(model, inputs, ids[:-1]), use_cache=False, logits_to_keep=len(ids))
            logs[ids[:-1]] = read.logits[0, -len(ids) :].float().log_softmax(dim=-1)
    return [float(logs[ids[:-1]].gather(1, torch.tensor(ids, device=model.device)[:, None]).sum()) for ids in options]


def _longer(model: GeneratingModel, inputs: ForwardInputs, ids: Sequence[int]) -> ForwardInputs:
    """The arguments with tokens behind the prompt; what goes with its tokens (masks, kinds) grows as `generate` lets it."""
    tokens = torch.tensor([ids], dtype=torch.long, device=model.device)
    if model.config.is_encoder_decoder:
        settings = model.generation_config
        start = settings.bos_token_id if settings.decoder_start_token_id is None else settings.decoder_start_token_id
        begin = [token for token in (start, settings.forced_bos_token_id) if token is not None]
        start = torch.tensor([begin], device=model.device)
        return {**inputs, "decoder_input_ids": torch.cat([start, tokens], dim=1)}
    empty: Callable[[], ModelOutput] = ModelOutput
    longer, nothing_new = dict(inputs), empty()
    for _ in ids:
        longer = model._update_model_kwargs_for_generation(nothing_new, longer, is_encoder_decoder=False)
    prompt, embedded = tensor_of(inputs, "input_ids"), tensor_of(inputs, "inputs_embeds")
    if prompt is not None:
        longer["input_ids"] = torch.cat([prompt, tokens], dim=1)
    if embedded is not None:
        longer["inputs_embeds"] = torch.cat([embedded, model.get_input_embeddings()(tokens)], dim=1)
    return longer
