"""Can a model be cut over processes? Asked before weights are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from mipha_eval.core.errors import UserError
from mipha_eval.models.device import choose_device

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

    from mipha_eval.models.generic_model import GenericModel

#: what a layer's number is written as in a plan
ANY_LAYER = ".*."

#: sizes that are cut, by their names in a configuration, and what they count
CUT = {"num_attention_heads": "attention heads", "num_key_value_heads": "key-value heads"}


def check_devices(ranks: int, device: str, device_map: str | None) -> None:
    """Raises UserError where there is no device for each process."""
    if device_map is not None:
        raise UserError("device_map and tp are two ways to spread a model; leave one of them out")
    kind = choose_device(device)
    accelerator = torch.accelerator.current_accelerator()
    if kind.type == "mps" or kind.index is not None:
        raise UserError(
            f"tp={ranks} computes on {ranks} GPUs, not on device {device}; leave out the device", flag="--device"
        )
    if kind.type == "cpu" and accelerator is not None and accelerator.type != "cpu":
        raise UserError(f"tp={ranks} computes on this machine's {accelerator.type}, not on its CPU", flag="--device auto")
    if kind.type == "cuda" and torch.cuda.device_count() < ranks:
        raise UserError(f"tp={ranks} needs {ranks} GPUs, and {torch.cuda.device_count()} can be seen")


def check_plan(known: GenericModel, ranks: int) -> None:
    """Raises UserError for a model that transformers has no plan for, or that cannot be cut in so many equal shares."""
    kind = known.config.model_type
    if known.quantized:
        raise UserError(f"{known.folder}: tp cannot cut quantized weights; leave it out")
    plan = known.empty().tp_plan or {}
    if not any(ANY_LAYER in name for name in plan):
        raise UserError(
            f"{known.folder}: transformers has no plan for cutting the layers of a {kind} (tp_plan); device_map=auto "
            "spreads whole layers instead",
            flag="-a device_map=auto",
        )
    text: PreTrainedConfig = known.config.get_text_config(decoder=True)
    for name, what in CUT.items():
        count = getattr(text, name, None)
        if isinstance(count, int) and count % ranks:
            raise UserError(f"{known.folder}: its {count} {what} cannot be cut in {ranks} equal shares; take another tp")
