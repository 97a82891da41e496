"""Reading single weights out of files, whatever their format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mipha_eval.core.errors import UserError
from mipha_eval.models.pickled import PickledFile
from mipha_eval.models.weights import Stored


def read_weights(wanted: Iterable[Stored]) -> Iterator[tuple[Stored, Tensor]]:
    """Each weight once, file by file, in memory of its own: the files may be written again.

    Raises:
        UserError: a file is damaged, a weight is not finite.
    """
    by_file: dict[Path, list[Stored]] = {}
    for stored in dict.fromkeys(wanted):
        by_file.setdefault(stored.file, []).append(stored)
    for file, own in by_file.items():
        read = PickledFile.open(file).read if file.suffix != ".safetensors" else None
        yield from _checked(own, read) if read else _of_safetensors(file, own)


def _of_safetensors(file: Path, wanted: Iterable[Stored]) -> Iterator[tuple[Stored, Tensor]]:
    try:
        with safe_open(file, framework="pt", backend="pread") as shard:
            yield from _checked(wanted, shard.get_tensor)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{file} is damaged: {error}") from error


def _checked(wanted: Iterable[Stored], read: Callable[[str], Tensor]) -> Iterator[tuple[Stored, Tensor]]:
    for stored in wanted:
        weight = read(stored.key)
        if not torch.isfinite(weight).all():
            raise UserError(f"{stored.file}: weight {stored.key} has NaN or infinite values; the checkpoint is broken")
        yield stored, weight


class WeightReader:
    """Reads weights one at a time, in any order, as they are stored; a file is opened once."""

    def __init__(self) -> None:
        self._open: dict[Path, Callable[[str], Tensor]] = {}

    def read(self, stored: Stored) -> Tensor:
        """A weight, in memory of its own. Raises UserError if its file is damaged."""
        try:
            if stored.file not in self._open:
                self._open[stored.file] = _reader(stored.file)
            return self._open[stored.file](stored.key)
        except (OSError, SafetensorError) as error:
            raise UserError(f"{stored.file} is damaged: {error}") from error


def _reader(file: Path) -> Callable[[str], Tensor]:
    if file.suffix != ".safetensors":
        return PickledFile.open(file).read
    read: Callable[[str], Tensor] = safe_open(file, framework="pt", backend="pread").get_tensor
    return read
