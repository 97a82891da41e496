"""Where a model computes, in which precision, and how much fits there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psutil
import torch
from accelerate.utils.memory import should_reduce_batch_size
from torch import Tensor

from mipha_eval.core.errors import DeviceMemoryError, UserError

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


def chunk_tokens(device: torch.device) -> int:
    """Tokens that one forward pass should have."""
    return CHUNK.get(device.type, CHUNK_ELSEWHERE)


def batch_tokens(device: torch.device, bytes_per_token: int) -> int:
    """Tokens whose keys and values a batch may hold, by the memory that is free now."""
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    most = BATCH.get(device.type, BATCH_ELSEWHERE)
    return max(LEAST, min(most, int(MEMORY_SHARE * free / bytes_per_token)))


def cache_bytes(config: Any, dtype: torch.dtype) -> int:
    """Bytes of a token's keys and values in a decoder with this configuration."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * size * dtype.itemsize)


def moved(tensor: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    """On the device, floating-point numbers in `dtype`; from pinned memory the copy runs beside the computation."""
    return tensor.to(device, dtype if tensor.is_floating_point() else tensor.dtype, non_blocking=device.type == "cuda")


def pinned(tensor: Tensor, device: torch.device) -> Tensor:
    """In memory that a CUDA device can copy from by itself; elsewhere as it is."""
    with memory_guard():
        return tensor.pin_memory() if device.type == "cuda" else tensor


@contextlib.contextmanager
def memory_guard() -> Iterator[None]:
    """Turns what torch raises when a device is full, its own reserve given back, into DeviceMemoryError.

    Raises:
        UserError: the device itself failed, as CUDA's do at an assertion: whatever a process asks of it then fails too.
    """
    try:
        yield
    except Exception as error:
        line = str(error).partition("\n")[0]
        broken = isinstance(error, torch.AcceleratorError)
        if should_reduce_batch_size(error) or (broken and "out of memory" in line):
            raise DeviceMemoryError(line) from error
        if broken:
            raise UserError(
                f"the device failed and computes nothing more in this process: {line}; the same command goes on from "
                "what is stored, and with one question a batch as far as the question that does it",
                flag="--batch-size 1",
            ) from error
        raise
