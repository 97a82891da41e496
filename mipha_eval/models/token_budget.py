"""How many tokens a forward pass should have, and how many a batch may: by the kind of device and its free memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import torch

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

#: share of the free memory that keys and values may take; the rest is for activations, logits and what else runs there
MEMORY_SHARE = 0.4

#: tokens of one forward pass. On a CPU what a layer makes of more than these no longer fits its caches; a GPU needs more
#: to be busy.
CHUNK = {"cpu": 2048}
CHUNK_ELSEWHERE = 16384

#: tokens of a batch, memory permitting. Weights are read once a decoding step for all questions of a batch, so that more is
#: faster, but a batch is also what a crash loses and what progress waits for.
LEAST = 1024
BATCH = {"cpu": 8192}
BATCH_ELSEWHERE = 65536


def chunk_tokens(device: torch.device) -> int:
    """Tokens that one forward pass should have."""
    return CHUNK.get(device.type, CHUNK_ELSEWHERE)


def batch_tokens(device: torch.device, bytes_per_token: int) -> int:
    """Tokens whose keys and values a batch may hold, by the memory that is free now."""
    most = BATCH.get(device.type, BATCH_ELSEWHERE)
    return max(LEAST, min(most, int(MEMORY_SHARE * free_bytes(device) / bytes_per_token)))


def free_bytes(device: torch.device) -> int:
    """Memory that is free now."""
    return int(torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available)


def cache_bytes(config: PreTrainedConfig, dtype: torch.dtype) -> int:
    """Bytes of a token's keys and values in a decoder with this configuration."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * size * dtype.itemsize)


def pass_bytes(config: PreTrainedConfig, tokens: int, dtype: torch.dtype) -> int:
    """About what a forward pass makes beside keys and values that stay: of one layer, and one token's logits."""
    heads = config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    layer = 3 * config.hidden_size + 4 * heads * size + 3 * inner
    return int(tokens * layer * dtype.itemsize + 4 * config.vocab_size)
