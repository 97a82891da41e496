"""Shared-prefix decoding on Hugging Face causal decoders: prefill many prefixes, fan their rows out, decode greedily."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache

from mipha_eval.errors import UserError


@dataclass(frozen=True)
class PrefixState:
    """Keys and values of prefixes, one row each, padded on the left; `mask` [prefixes, length] is 0 on padding."""

    cache: DynamicCache
    mask: Tensor


def choose_device(name: str) -> torch.device:
    """Reads ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``. Raises UserError if there is no such device."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name.split(":")[0] not in ("cpu", "cuda", "mps"):
        raise UserError(f"device {name!r} is unknown; there are auto, cpu, cuda, cuda:1, mps")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {name!r} is not there: {str(error).splitlines()[0]}") from error
    return device


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """Reads ``auto`` (bfloat16 on CUDA, else float32), ``float32``, ``bfloat16`` or ``float16``."""
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if name not in dtypes:
        raise UserError(f"dtype {name!r} is unknown; there are auto, {', '.join(dtypes)}")
    return dtypes[name]


@dataclass(frozen=True)
class Stop:
    """When an answer ends: at one of the token ids `ends`, or after `limit` tokens; the end token is kept and counts."""

    ends: frozenset[int]
    limit: int


@torch.inference_mode()
def prefill(decoder: Any, embedded: Sequence[Tensor]) -> PrefixState:
    """Reads prefixes, given as decoder inputs [length, hidden] each."""
    hidden, mask = _left_padded(embedded)
    cache = DynamicCache()
    if hidden.shape[1]:
        decoder.base_model(
            inputs_embeds=hidden,
            attention_mask=mask,
            position_ids=_positions(mask),
            past_key_values=cache,
            use_cache=True,
        )
    return PrefixState(cache, mask)


@torch.inference_mode()
def decode(decoder: Any, state: PrefixState, rows: Tensor, suffixes: Sequence[Tensor], stop: Stop) -> list[list[int]]:
    """Continues prefix `rows[i]` with suffix i and decodes greedily, all together; finished rows leave the batch.

    Args:
        suffixes: decoder inputs [length, hidden] each, at least one token long.

    Returns:
        Generated token ids of each suffix.
    """
    hidden, own = _left_padded(suffixes)
    mask = torch.cat([state.mask[rows], own], dim=1)
    cache = _select(state.cache, rows)
    positions = _positions(mask)[:, state.mask.shape[1] :]
    inputs: dict[str, Tensor] = {"inputs_embeds": hidden}
    generated: list[list[int]] = [[] for _ in suffixes]
    active = list(range(len(suffixes)))  # row of the batch -> suffix
    for step in range(stop.limit):
        output = decoder(
            **inputs,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        tokens = output.logits[:, -1].argmax(dim=-1)
        finished = set()
        for row, token in enumerate(tokens.tolist()):
            generated[active[row]].append(token)
            if token in stop.ends:
                finished.add(row)
        if len(finished) == len(active) or step + 1 == stop.limit:
            break
        if finished:
            keep = torch.tensor([row for row in range(len(active)) if row not in finished], device=mask.device)
            cache.batch_select_indices(keep)
            mask, tokens, positions = mask[keep], tokens[keep], positions[keep]
            active = [active[row] for row in keep.tolist()]
        mask = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1)
        positions = positions[:, -1:] + 1
        inputs = {"input_ids": tokens[:, None]}
    return generated


@torch.inference_mode()
def rank(decoder: Any, state: PrefixState, rows: Tensor, suffixes: Sequence[Tensor], ends: Sequence[Tensor]) -> list[float]:
    """Sums of log-probabilities of what each suffix ends with, in one forward pass.

    Args:
        suffixes: decoder inputs [length, hidden] each, of prompt and option.
        ends: the option's token ids, fewer than the suffix has tokens.
    """
    if any(len(suffix) <= len(end) for suffix, end in zip(suffixes, ends, strict=True)):
        raise ValueError("a suffix must begin before its option: the first token of an option is predicted, too")
    hidden, own = _left_padded(suffixes)
    mask = torch.cat([state.mask[rows], own], dim=1)
    longest = max(len(end) for end in ends)
    output = decoder(
        inputs_embeds=hidden,
        attention_mask=mask,
        position_ids=_positions(mask)[:, state.mask.shape[1] :],
        past_key_values=_select(state.cache, rows),
        use_cache=True,
        logits_to_keep=longest + 1,  # the logits before a token are those that predict it
    )
    logs = output.logits[:, :-1].float().log_softmax(dim=-1)
    sums = []
    for log, end in zip(logs, ends, strict=True):
        sums.append(float(log[longest - len(end) :].gather(1, end[:, None]).sum()))
    return sums


def _left_padded(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Stacks [length, hidden] tensors; returns them [n, longest, hidden] and a mask [n, longest]."""
    hidden = pad_sequence(list(rows), batch_first=True, padding_side="left")
    lengths = torch.tensor([len(row) for row in rows], device=hidden.device)
    index = torch.arange(hidden.shape[1], device=hidden.device)
    return hidden, (index >= hidden.shape[1] - lengths[:, None]).long()


def _positions(mask: Tensor) -> Tensor:
    return (mask.cumsum(dim=1) - 1).clamp(min=0)


def _select(cache: DynamicCache, rows: Tensor) -> DynamicCache:
    """A copy of some rows, so that the prefixes can be resumed again."""
    copy = DynamicCache()
    layers: Any = cache.layers
    for number, layer in enumerate(layers):
        copy.update(layer.keys[rows], layer.values[rows], number)
    return copy
