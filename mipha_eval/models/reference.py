"""Answers the way transformers itself gives them: whole prompts, its own attention, cache and generation loop.

Attention, cache and decoding are not the packed path's, so that the two can prove each other; weights, prompts and what is
made of an answer's first logits are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from mipha_eval.models.forward_inputs import ForwardInputs, tensor_of
from mipha_eval.models.generation import Manner
from mipha_eval.models.generator import generator_of, handed_over, is_encoded
from mipha_eval.models.longer_prompt import decoder_inputs, longer_prompt
from mipha_eval.models.prefix import Answer, Options
from mipha_eval.models.prefix_decoder import begun

if TYPE_CHECKING:
    from mipha_eval.models.generating_model import GeneratingModel


class WithLogits(Protocol):
    """What a network with a head puts out."""

    logits: Tensor


@torch.inference_mode()
def generate(
    model: GeneratingModel,
    inputs: ForwardInputs,
    manner: Manner,
    probabilities: Sequence[Sequence[float]],
    step: int = 0,
) -> list[Answer]:
    """Answers to left-padded prompts, greedy but for what `manner` says.

    Args:
        inputs: arguments of the model's forward.
        probabilities: as in `Answer`, of each prompt.
        step: whose best logits an answer keeps: 0 for the first, -1 for the last, as it was decoded from a cache.
    """
    stop = manner.stop
    make: Callable[..., GenerationConfig] = GenerationConfig
    settings = make(
        do_sample=False,
        max_new_tokens=stop.limit,
        return_dict_in_generate=True,
        **{"pad_token_id": min(stop.ends), **manner.settings, "eos_token_id": sorted(stop.ends)},
    )
    generator, beginning = generator_of(model), Beginning()
    generator.generation_config = settings  # transformers adds the model's own to what it is told
    steps: list[Tensor] = []

    def note(_model: nn.Module, _arguments: object, output: WithLogits) -> None:
        steps[1:] = [output.logits[:, -1].clone()]

    listening = generator.register_forward_hook(note)  # what the model says, before any setting changes it
    try:
        steering = LogitsProcessorList([*manner.steering, beginning])
        made = model.generate(**inputs, generation_config=settings, logits_processor=steering)
    finally:
        listening.remove()
    if not steps:
        raise RuntimeError("transformers generated nothing")
    if beginning.length < 0:  # Janus' own `generate` hands no processors on
        if manner.steering:
            raise RuntimeError("the model's own generation cannot be told how to choose tokens; leave out penalties")
        prompt = tensor_of(inputs, "input_ids")
        beginning.length = 0 if prompt is None else prompt.shape[1]
    best = steps[step]
    answers = begun(best[:: len(best) // len(probabilities)], probabilities)  # the first beam of each prompt
    for answer, ids in zip(answers, made.sequences[:, beginning.length :].tolist(), strict=True):
        answer.ids[:] = ids[: next((end for end in range(1, len(ids)) if stop.ended(ids[:end])), len(ids))]
    return answers


class Beginning(LogitsProcessor):
    """Notes how many ids stand before an answer in what `generate` returns: a prompt's, or what a decoder begins with.

    Attributes:
        length: as it was at the first step.
    """

    def __init__(self) -> None:
        self.length = -1

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Leaves `scores` as they are."""
        self.length = input_ids.shape[1] if self.length < 0 else self.length
        return scores


@torch.inference_mode()
def rank(model: GeneratingModel, inputs: ForwardInputs, options: Options) -> list[float]:
    """Log-probability of each option as the answer to one prompt: a plain forward pass over the prompt and the option.

    Nothing is kept from one pass for the next: what a cache does not hold, such as which tokens may look at which picture,
    could be lost on the way. Options that differ in their last token alone share a pass.
    """
    logs: dict[tuple[int, ...], Tensor] = {}
    reader, given = generator_of(model), handed_over(model, inputs)
    encoded = is_encoded(reader.config)
    for ids in options:
        if ids[:-1] not in logs:
            longer = decoder_inputs(reader, given, ids[:-1]) if encoded else longer_prompt(reader, given, ids[:-1])
            kept = {} if encoded else {"logits_to_keep": len(ids)}  # not every decoder behind an encoder knows it
            read = reader(**longer, use_cache=False, **kept)
            logs[ids[:-1]] = read.logits[0, -len(ids) :].float().log_softmax(dim=-1)
    return [float(logs[ids[:-1]][list(range(len(ids))), list(ids)].sum()) for ids in options]
