"""Two devices on a machine that has none: tensors say that they lie on them, and what mixes them fails as on real ones."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

#: a type that torch knows a name for, and this build has nothing else of
KIND = "maia"

FIRST, SECOND = torch.device(KIND, 0), torch.device(KIND, 1)

aten: Any = torch.ops.aten

#: what may have tensors of several devices: copies, and indices that lie in main memory
COPIES = ("_to_copy", "copy_", "to")
#: what makes several views of one tensor
SEVERAL = ("unbind", "split", "split_with_sizes", "chunk")
INDEXED = ("index", "index_put", "index_put_", "_index_put_impl_")

#: whose own signatures are narrower, or not known to mypy
_Tensor: Any = torch.Tensor
_DispatchMode: Any = TorchDispatchMode


class Held(_Tensor):  # type: ignore[misc]
    """A tensor on one of the devices; `raw` are its numbers, in main memory."""

    raw: torch.Tensor

    # what torch binds by hand asks for a guard of the device, which there is none of
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, raw: torch.Tensor, device: torch.device) -> Held:
        make: Any = torch.Tensor._make_wrapper_subclass
        made: Held = make(
            cls, raw.shape, strides=raw.stride(), storage_offset=raw.storage_offset(), dtype=raw.dtype, device=device
        )
        return made

    def __init__(self, raw: torch.Tensor, device: torch.device) -> None:
        self.raw = raw

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(func, args, kwargs or {})

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"{self.raw!r} on {self.device}"

    def __format__(self, how: str) -> str:
        return format(repr(self), how)

    def tolist(self) -> Any:
        return self.raw.tolist()

    def item(self) -> Any:
        return self.raw.item()

    def __bool__(self) -> bool:
        return bool(self.raw)

    def __int__(self) -> int:
        return int(self.raw)

    def __float__(self) -> float:
        return float(self.raw)

    def __index__(self) -> int:
        return int(self.raw)

    def __invert__(self) -> torch.Tensor:
        return torch.bitwise_not(self)

    def contiguous(self, **settings: Any) -> Held:
        return Held(self.raw.contiguous(**settings), self.device)

    def copy_(self, other: torch.Tensor, non_blocking: bool = False) -> Held:
        self.raw.copy_(bare(other))
        return self

    def __getitem__(self, at: Any) -> Held:
        return Held(self.raw[self._here(at)], self.device)

    def __setitem__(self, at: Any, value: Any) -> None:
        self.raw[self._here(at)] = self._here(value)

    def _here(self, given: Any) -> Any:
        if any(isinstance(each, Held) and each.device != self.device for each in tree_leaves(given)):
            raise RuntimeError("a tensor is indexed by one on another device")
        return bare(given)


def bare(given: Any) -> Any:
    """The same with plain tensors."""
    return tree_map(lambda each: each.raw if isinstance(each, Held) else each, given)


def computed(func: Any, args: Any, kwargs: Any) -> Any:
    """What an operation gives, on the device of what it was given. Raises RuntimeError where devices are mixed."""
    leaves = tree_leaves((args, kwargs))
    held = [each for each in leaves if isinstance(each, Held)]
    plain = [each for each in leaves if isinstance(each, torch.Tensor) and not isinstance(each, Held) and each.ndim]
    asked = next((each for each in leaves if isinstance(each, torch.device)), None)
    name = func._schema.name.removeprefix("aten::")
    if name == "_has_compatible_shallow_copy_type":
        return False
    devices = {each.device for each in held} | ({torch.device("cpu")} if held and plain and name not in INDEXED else set())
    if len(devices) > 1 and name not in COPIES:
        raise RuntimeError(f"{name} is given tensors on several devices: {devices}")
    target = asked or (held[0].device if held else None)
    if asked is not None and asked.type == KIND:
        args, kwargs = tree_map(lambda each: torch.device("cpu") if isinstance(each, torch.device) else each, (args, kwargs))
    made = func(*bare(args), **bare(kwargs))
    if func._schema.is_mutable and name.endswith("_"):
        return args[0]
    if target is None or target.type != KIND:
        return made
    return tree_map(lambda each: Held(each, target) if isinstance(each, torch.Tensor) else each, made)


class Everywhere(_DispatchMode):  # type: ignore[misc]
    """Operations without tensors, too, such as those that make one."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(func, args, kwargs or {})


class MadeInMemory(TorchFunctionMode):
    """`torch.tensor` brings numbers to a device by a way of its own."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = dict(kwargs or {})
        if getattr(func, "__name__", "") in SEVERAL and args and isinstance(args[0], Held):  # torch counts their changes
            return tuple(Held(each, args[0].device) for each in func(*bare(args), **bare(given)))
        device = given.pop("device", None) if func in (torch.tensor, torch.as_tensor) else None
        made = func(*(args if device is None else bare(args)), **given)
        return made if device is None else made.to(device)


@contextlib.contextmanager
def two_devices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While entered, there are `FIRST` and `SECOND`."""
    monkeypatch.setenv("HF_DEACTIVATE_ASYNC_LOAD", "1")  # modes hold for one thread
    with MadeInMemory(), Everywhere(), torch.no_grad():
        yield
