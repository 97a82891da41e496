"""Answers the way transformers itself gives them: whole prompts, its own attention, cache and generation loop.

Attention, cache and decoding are not the packed path's, so that the two can prove each other; weights, prompts and what is
made of an answer's first logits are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessorList
from transformers.utils.generic import ModelOutput

from mipha_eval.models.generation import Manner
from mipha_eval.models.prefix import Answer, Options
from mipha_eval.models.prefix_decoder import begun


@torch.inference_mode()
def generate(
    model: Any, inputs: Mapping[str, Any], manner: Manner, probabilities: Sequence[Sequence[float]]
) -> list[Answer]:
    """Greedy answers to left-padded prompts.

    Args:
        inputs: arguments of the model's forward.
        probabilities: as in `Answer`, of each prompt.
    """
    stop = manner.stop
    make: Any = GenerationConfig
    settings = make(
        do_sample=False,
        max_new_tokens=stop.limit,
        return_dict_in_generate=True,
        **{"pad_token_id": min(stop.ends), **manner.settings, "eos_token_id": sorted(stop.ends)},
    )
    model.generation_config = settings  # transformers adds the model's own to what it is told
    first: list[Tensor] = []

    def note(_model: Any, _arguments: Any, output: Any) -> None:
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
    answers = begun(first[0], probabilities)
    for answer, ids in zip(answers, made.sequences[:, _before(model, inputs) :].tolist(), strict=True):
        end = next((place for place, token in enumerate(ids) if token in stop.ends), len(ids) - 1)
        answer.ids[:] = ids[: end + 1]
    return answers


def _before(model: Any, inputs: Mapping[str, Any]) -> int:
    """How many ids stand before an answer in what `generate` returns."""
    if model.config.is_encoder_decoder:
        return 1
    return inputs["input_ids"].shape[1] if "input_ids" in inputs else 0


@torch.inference_mode()
def rank(model: Any, inputs: Mapping[str, Any], options: Options) -> list[float]:
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


def _longer(model: Any, inputs: Mapping[str, Any], ids: Sequence[int]) -> dict[str, Any]:
    """The arguments with tokens behind the prompt; what goes with its tokens (masks, kinds) grows as `generate` lets it."""
    tokens = torch.tensor([ids], dtype=torch.long, device=model.device)
    if model.config.is_encoder_decoder:
        settings = model.generation_config
        start = settings.bos_token_id if settings.decoder_start_token_id is None else settings.decoder_start_token_id
        begin = [token for token in (start, settings.forced_bos_token_id) if token is not None]
        start = torch.tensor([begin], device=model.device)
        return {**inputs, "decoder_input_ids": torch.cat([start, tokens], dim=1)}
    longer, nothing_new = dict(inputs), cast(Any, ModelOutput)()
    for _ in ids:
        longer = model._update_model_kwargs_for_generation(nothing_new, longer, is_encoder_decoder=False)
    if "input_ids" in inputs:
        longer["input_ids"] = torch.cat([inputs["input_ids"], tokens], dim=1)
    if "inputs_embeds" in inputs:
        longer["inputs_embeds"] = torch.cat([inputs["inputs_embeds"], model.get_input_embeddings()(tokens)], dim=1)
    return longer
