"""Which part of a model lies on which device, where it is larger than one of them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from accelerate import infer_auto_device_map
from accelerate.utils import get_balanced_memory, get_max_memory
from accelerate.utils.modeling import compute_module_sizes
from torch import nn

from mipha_eval.core.errors import UserError
from mipha_eval.models.device import device_name

if TYPE_CHECKING:
    from mipha_eval.models.generating_model import GeneratingModel
    from mipha_eval.models.generic_model import GenericModel

logger = logging.getLogger(__name__)

#: ways to spread a model: evenly over all devices (both of the first), or filling one after the other
KINDS = ("auto", "balanced", "sequential")

#: share of a device's free memory that weights may take; the rest is for keys and values, activations and logits
WEIGHTS_SHARE = 0.9

GIB = 1 << 30

#: bytes by device, an accelerator by its number
Memory = Mapping[int | str, int]


@dataclass(frozen=True)
class DeviceMap:
    """Where parts of a model lie.

    Attributes:
        parts: devices by the names of parts; "" is all of it.
        main: where the embedding of tokens lies, and prompts are handed over.
    """

    parts: Mapping[str, torch.device]
    main: torch.device

    @classmethod
    def on(cls, device: torch.device) -> DeviceMap:
        """All on one device."""
        return cls({"": device}, device)

    @classmethod
    def spread(cls, known: GenericModel, kind: str, dtype: torch.dtype, memory: Memory | None = None) -> DeviceMap:
        """Over all devices that a process can see, by accelerate; looked at before weights are read.

        Args:
            kind: one of `KINDS`.
            memory: in place of what is free.

        Raises:
            UserError: an unknown kind, a model that cannot be spread, or one that the devices do not hold together.
        """
        if kind not in KINDS:
            raise UserError(f"device_map {kind!r} is unknown; there are {', '.join(KINDS)}")
        if known.quantized:
            raise UserError(f"{known.folder}: device_map cannot spread quantized weights; leave it out")
        model = known.empty()
        whole = sorted(model._no_split_modules or ())
        if not whole:
            raise UserError(
                f"{known.folder}: device_map cannot spread a {known.config.model_type}: transformers does not say which of "
                "its parts have to stay together"
            )
        given = usable(get_max_memory() if memory is None else memory)
        room = given if kind == "sequential" else get_balanced_memory(model, dict(given), whole, dtype=dtype)
        found = infer_auto_device_map(model, dict(room), no_split_module_classes=whole, dtype=dtype)
        refuse_overflow(known.folder, found, compute_module_sizes(model, dtype=dtype), given)
        parts = {name: _device(device) for name, device in found.items()}
        return cls(parts, device_of(parts, name_of(model, model.get_input_embeddings())))

    @property
    def devices(self) -> tuple[torch.device, ...]:
        """All of them, in the order of their first parts."""
        return tuple(dict.fromkeys(self.parts.values()))

    @property
    def text(self) -> str:
        """Names of the devices, equal ones counted."""
        return counted(Counter(device_name(device) for device in self.devices))


def _device(found: int | str) -> torch.device:
    """A device as accelerate names it."""
    kind = torch.accelerator.current_accelerator()
    return torch.device(found) if isinstance(found, str) else torch.device(kind.type if kind else "cuda", found)


def usable(memory: Memory) -> dict[int | str, int]:
    """What weights may take of each device; main memory only where there is nothing else."""
    devices = {device: size for device, size in memory.items() if device != "cpu"} or memory
    return {device: int(WEIGHTS_SHARE * size) for device, size in devices.items()}


def refuse_overflow(
    folder: Path, found: Mapping[str, int | str | torch.device], sizes: Mapping[str, int], memory: Memory
) -> None:
    """Raises UserError where parts found no place but the disk.

    Args:
        sizes: bytes of parts by their names; "" is all of it.
    """
    outside = [name for name, device in found.items() if device == "disk"]
    if not outside:
        return
    held = f"{sum(memory.values()) / GIB:.1f} GiB for weights on {len(memory)} device{'s' * (len(memory) > 1)}"
    raise UserError(
        f"{folder} has {sizes[''] / GIB:.1f} GiB of weights, and there are {held}: {len(outside)} of its parts would have "
        "to be read from disk for every answer; give it more devices, or take a smaller dtype",
        flag="--dtype bfloat16",
    )


def name_of(model: nn.Module, part: nn.Module) -> str:
    """What a part of a model is called in it."""
    return next(str(name) for name, module in model.named_modules() if module is part)


def device_of(parts: Mapping[str, torch.device], name: str) -> torch.device:
    """The device of a part, which may lie within a larger one that has a place."""
    while name not in parts:
        if not name:
            raise KeyError("no part of the map holds it")
        name = name.rpartition(".")[0]
    return parts[name]


def counted(names: Counter[str]) -> str:
    """Names of devices in one line, such as ``2 x NVIDIA H100``."""
    return ", ".join(f"{count} x {name}" if count > 1 else name for name, count in names.items())


def layers_by_device(model: GeneratingModel) -> dict[torch.device, float]:
    """The share of a decoder's layers, and so of keys and values, that lie on each device; 1 each where it is not known.

    Layers are known by their attention, which has a number; those of a vision tower may be among them, so that shares
    may be a little too large.
    """
    numbers: dict[torch.device, set[int]] = {}
    for module in model.modules():
        number, weight = getattr(module, "layer_idx", None), next(module.parameters(), None)
        if isinstance(number, int) and weight is not None:
            numbers.setdefault(weight.device, set()).add(number)
    total = len(set().union(*numbers.values())) if numbers else 0
    devices = dict.fromkeys(weight.device for weight in model.parameters())
    return {device: len(numbers.get(device, ())) / total if total else 1.0 for device in devices}


def report(model: GeneratingModel) -> None:
    """Says where the weights lie."""
    sizes: Counter[torch.device] = Counter()
    for weight in model.parameters():
        sizes[weight.device] += weight.numel() * weight.itemsize
    logger.info("weights lie on %s", ", ".join(f"{device} ({size / GIB:.1f} GiB)" for device, size in sizes.items()))
