"""Weights in torch's own files (``.bin``), read as data alone and one at a time."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from mipha_eval.core.errors import UserError

#: torch's types in safetensors' words
DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


@dataclass(frozen=True)
class PickledFile:
    """A file whose names and shapes are known, and nothing more is read of it until a weight is asked for.

    Attributes:
        weights: by name, tensors without content that know where in the file theirs begins.
    """

    file: Path
    weights: Mapping[str, Tensor]

    @classmethod
    def open(cls, file: Path) -> PickledFile:
        """Looks at a file; no code in it is run (``weights_only``). Raises UserError if it holds more than weights."""
        try:
            with FakeTensorMode():  # as torch's notes on serialization read a file's layout
                found = torch.load(file, weights_only=True)
        except pickle.UnpicklingError as error:
            raise UserError(f"{file} holds more than weights and is not read: {_first_line(error)}") from error
        except (BadZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
            raise UserError(f"{file} is damaged: {_first_line(error)}; copy or download it again") from error
        if not isinstance(found, dict) or not all(isinstance(each, Tensor) for each in found.values()):
            raise UserError(f"{file} is no table of weights by name")
        unknown = next((each.dtype for each in found.values() if each.dtype not in DTYPES), None)
        if unknown is not None:
            raise UserError(f"{file} holds weights of type {unknown}, which are not supported")
        return cls(file, {str(name): weight for name, weight in found.items()})

    def read(self, name: str) -> Tensor:
        """A weight, in memory of its own. Raises KeyError."""
        known = self.weights[name]
        begin: Any = known.untyped_storage()._checkpoint_offset
        if begin is None:  # the format before torch 1.6 can only be read as a whole
            whole: dict[str, Tensor] = torch.load(self.file, weights_only=True, map_location="cpu")
            return whole[name].detach().clone()
        first, size = known.storage_offset() * known.itemsize, known.itemsize
        span = (sum((length - 1) * step for length, step in zip(known.shape, known.stride(), strict=True)) + 1) * size
        with self.file.open("rb") as content:
            content.seek(begin + first)
            data = bytearray(content.read(span if known.numel() else 0))
        if not known.numel():
            return torch.empty(known.shape, dtype=known.dtype)
        return torch.frombuffer(data, dtype=known.dtype).as_strided(known.shape, known.stride()).contiguous()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
