"""Which devices torch can compute on. Imports torch and nothing else of what a model needs."""

from __future__ import annotations

import torch

from mipha_eval.core.json_value import JsonObject

GB = 1e9


def found_devices() -> JsonObject:
    """Its version, what it was built for, its CPU threads, and a line a device."""
    return {
        "version": str(torch.__version__),
        "cuda": torch.version.cuda,
        "threads": torch.get_num_threads(),
        "devices": [*_cuda(), *(["mps"] if torch.backends.mps.is_available() else [])],
    }


def _cuda() -> list[str]:
    if not torch.cuda.is_available():
        return []
    return [_told(number) for number in range(torch.cuda.device_count())]


def _told(number: int) -> str:
    name = torch.cuda.get_device_name(number)
    try:
        free, total = torch.cuda.mem_get_info(number)
    except RuntimeError as error:  # a device that is there and does not work
        return f"cuda:{number} {name}, which fails: {str(error).partition(chr(10))[0]}"
    return f"cuda:{number} {name}, {free / GB:.0f} of {total / GB:.0f} GB free"
