"""Weights in torch's own files (``.bin``), read as data alone and one at a time."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

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

#: how torch is asked for weights: as data alone, into the memory of the processor, wherever they lay when they were saved
SAFELY: Mapping[str, Any] = {"weights_only": True, "map_location": "cpu"}

#: bytes beside its weights that a file may be taken for: a view may not make much of little
SLACK = 1 << 20


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
        with _errors_naming(file), FakeTensorMode():  # as torch's notes on serialization read a file's layout
            found = torch.load(file, **SAFELY)
        if not isinstance(found, dict) or not all(isinstance(each, Tensor) for each in found.values()):
            raise UserError(f"{file} is no table of weights by name")
        unknown = next((_kind(each) for each in found.values() if _kind(each)), "")
        if unknown:
            raise UserError(f"{file} holds weights of type {unknown}, which are not supported")
        most = file.stat().st_size + SLACK
        blown = next((name for name, each in found.items() if each.numel() * each.itemsize > most), None)
        if blown is not None:
            raise UserError(f"{file} is damaged: {blown} would be larger than the whole file")
        return cls(file, {str(name): weight for name, weight in found.items()})

    def read(self, name: str) -> Tensor:
        """A weight, in memory of its own. Raises KeyError, and UserError if the file is damaged."""
        known = self.weights[name]
        begin: Any = known.untyped_storage()._checkpoint_offset
        if begin is None or not self._lies_open:
            return self._handed_over(name)
        if not known.numel():
            return torch.empty(known.shape, dtype=known.dtype)
        first, size = known.storage_offset() * known.itemsize, known.itemsize
        span = (sum((length - 1) * step for length, step in zip(known.shape, known.stride(), strict=True)) + 1) * size
        with _errors_naming(self.file):
            data = bytearray(span)
            with self.file.open("rb") as content:
                content.seek(begin + first)
                if content.readinto(data) < span:
                    raise EOFError(f"it ends within {name}")
            return torch.frombuffer(data, dtype=known.dtype).as_strided(known.shape, known.stride()).contiguous()

    @cached_property
    def _lies_open(self) -> bool:
        """Whether weights' bytes lie in the file as they lie in memory, as torch writes them; who packs it anew may not."""
        with zipfile.ZipFile(self.file) as archive:
            names = [entry.filename for entry in archive.infolist() if entry.filename.endswith("/byteorder")]
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
            return stored and all(archive.read(name) == b"little" for name in names)

    @cached_property
    def _whole(self) -> dict[str, Tensor]:
        """All weights that were not asked for yet.

        Of a file that cannot be read in parts: one in the format before torch 1.6, or a packed one.
        """
        with _errors_naming(self.file):
            found: dict[str, Tensor] = torch.load(self.file, **SAFELY)
        empty = next((name for name, weight in found.items() if weight.device.type != "cpu"), None)
        if empty is not None:
            raise UserError(f"{self.file} has no content for {empty}; save the checkpoint again")
        return {str(name): weight.detach() for name, weight in found.items()}

    def _handed_over(self, name: str) -> Tensor:
        """A weight that is given up here, so that all of them are in memory once."""
        if name not in self._whole:  # asked for again
            del self.__dict__["_whole"]
        weight = self._whole.pop(name)
        place = weight.untyped_storage()
        alone = all(place.data_ptr() != other.untyped_storage().data_ptr() for other in self._whole.values())
        return weight.contiguous() if alone and place.nbytes() == weight.nbytes else weight.clone().contiguous()


@contextmanager
def _errors_naming(file: Path) -> Iterator[None]:
    """What torch says of a file that it cannot read, in one line."""
    try:
        yield
    except pickle.UnpicklingError as error:
        raise UserError(f"{file} holds more than weights and is not read: {_first_line(error)}") from error
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
        raise UserError(f"{file} is damaged: {_first_line(error)}; copy or download it again") from error


def _kind(weight: Tensor) -> str:
    """What a tensor is that is none of numbers in a row; "" for one that is."""
    if weight.layout != torch.strided:
        return str(weight.layout)
    return "" if weight.dtype in DTYPES else str(weight.dtype)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
