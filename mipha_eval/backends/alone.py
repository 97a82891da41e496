"""Answers the way transformers itself gives them: whole prompts, its own attention, cache and generation loop.

Attention, cache and decoding are not the packed path's, so that the two can prove each other; weights, prompts and what is
made of an answer's first logits are the same.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from mipha_eval.backends.hf import Stop, begun
from mipha_eval.backends.prefix import Answer, Options


class _FirstLogits(LogitsProcessor):
    """Keeps the logits of the first step and changes nothing."""

    def __init__(self) -> None:
        self.logits: Tensor | None = None

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        if self.logits is None:
            self.logits = scores.clone()
        return scores


@torch.inference_mode()
def generate(model: Any, inputs: Mapping[str, Any], stop: Stop, chances: Sequence[Sequence[float]]) -> list[Answer]:
    """Greedy answers to left-padded prompts.

    Args:
        inputs: arguments of the model's forward.
        chances: as in `Answer`, of each prompt.
    """
    make: Any = GenerationConfig
    settings = make(
        do_sample=False,
        max_new_tokens=stop.limit,
        eos_token_id=sorted(stop.ends),
        pad_token_id=min(stop.ends),
        return_dict_in_generate=True,
    )
    first = _FirstLogits()
    made = model.generate(**inputs, generation_config=settings, logits_processor=LogitsProcessorList([first]))
    before = inputs["input_ids"].shape[1] if "input_ids" in inputs else 0
    if first.logits is None:
        raise RuntimeError("transformers generated nothing")
    answers = begun(first.logits, chances)
    for answer, ids in zip(answers, made.sequences[:, before:].tolist(), strict=True):
        end = next((place for place, token in enumerate(ids) if token in stop.ends), len(ids) - 1)
        answer.ids[:] = ids[: end + 1]
    return answers


@torch.inference_mode()
def rank(model: Any, inputs: Mapping[str, Any], options: Options) -> list[float]:
    """Log-probability of each option as the answer to one prompt: the prompt is read, then each option behind a copy."""
    read = model(**inputs, use_cache=True, logits_to_keep=1)
    sums = []
    for ids in options:
        logits = read.logits[0]
        if len(ids) > 1:
            tokens = torch.tensor([ids[:-1]], device=logits.device)
            behind = model(input_ids=tokens, past_key_values=copy.deepcopy(read.past_key_values), use_cache=True)
            logits = torch.cat([logits, behind.logits[0]])
        logs = logits.float().log_softmax(dim=-1)
        sums.append(float(logs.gather(1, torch.tensor(ids, device=logs.device)[:, None]).sum()))
    return sums
