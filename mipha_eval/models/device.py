"""Where a model computes, and in which precision."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from accelerate.utils.memory import should_reduce_batch_size
from torch import Tensor

from mipha_eval.core.errors import DeviceMemoryError, UserError


def choose_device(name: str) -> torch.device:
    """Reads ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``. Raises UserError if there is no such device."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name.split(":")[0] not in ("cpu", "cuda", "mps"):
        raise UserError(f"device {name!r} is unknown; there are auto, cpu, cuda, cuda:1, mps", flag="--device")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {name!r} is not there: {str(error).splitlines()[0]}", flag="--device") from error
    return device


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """Reads ``auto`` (bfloat16 on CUDA, else float32), ``float32``, ``bfloat16`` or ``float16``."""
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if name not in dtypes:
        raise UserError(f"dtype {name!r} is unknown; there are auto, {', '.join(dtypes)}", flag="--dtype")
    return dtypes[name]


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


def device_name(device: torch.device) -> str:
    """What a device is called: a GPU by its maker's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
