"""What devices hold."""

from __future__ import annotations

import torch


def device_peaks() -> dict[str, int]:
    """The most bytes of tensors that this process has had on each CUDA device that it used; none where it used none."""
    if not torch.cuda.is_available():
        return {}
    held = {f"cuda:{number}": torch.cuda.max_memory_allocated(number) for number in range(torch.cuda.device_count())}
    return {name: count for name, count in held.items() if count}
