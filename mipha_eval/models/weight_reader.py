"""Reading single weights out of files, whatever their format."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mipha_eval.core.errors import UserError
from mipha_eval.models.pickled import PickledFile
from mipha_eval.models.weights import Stored

#: numbers that are looked at in one go; what a look at all of a weight takes would be more than the weight
PART = 1 << 20


def read_weights(wanted: Iterable[Stored], reader: WeightReader | None = None) -> Iterator[tuple[Stored, Tensor]]:
    """Each weight once, in memory of its own: the files may be written again.

    The largest come first: what is made of a weight beside it, in another precision or merged, is then made while there is
    room. Give a weight up before asking for the next.

    Args:
        reader: one that has files open already.

    Raises:
        UserError: a file is damaged, a weight is not finite.
    """
    reader = reader or WeightReader()
    for stored in sorted(dict.fromkeys(wanted), key=lambda each: -math.prod(each.shape)):
        yield stored, _finite(stored, reader.read(stored))


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


def is_finite(weight: Tensor) -> bool:
    """Whether all of a weight's numbers are finite. A sum is one pass; only where it is not finite is looked closer."""
    parts: Sequence[Tensor] = torch.split(weight.flatten(), PART)
    return all(bool(part.sum().isfinite()) or bool(part.isfinite().all()) for part in parts)


def _finite(stored: Stored, weight: Tensor) -> Tensor:
    if not is_finite(weight):
        raise UserError(f"{stored.file}: weight {stored.key} has NaN or infinite values; the checkpoint is broken")
    return weight
