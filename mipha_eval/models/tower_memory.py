"""A vision tower that is asked about the same picture again gives what it gave: for networks that take nothing but pixels.

What counts as the same is not said by anybody: the tower's arguments are compared, row by row.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from transformers.utils.generic import ModelOutput

from mipha_eval.models.forward_inputs import ForwardInputs

#: what a module puts out: tensors, perhaps in tuples or under names
Output = Tensor | tuple["Output", ...] | ModelOutput | None

#: arguments that are no tensors and say how a tower is to work
Plain = bool | int | float | str | None


class NotByRowsError(RuntimeError):
    """A tower takes or makes something that is not one row a picture."""


def find_tower(model: nn.Module, inputs: ForwardInputs, ask: Callable[[], object]) -> nn.Module:
    """The outermost part of a model that sees nothing but what the processor made of pictures, while `ask` runs.

    Args:
        inputs: what the processor made of the pictures that `ask` asks about.

    Raises:
        NotByRowsError: there is none.
    """
    pixels = [value for value in inputs.values() if isinstance(value, Tensor)]
    found: list[nn.Module] = []

    def look(module: nn.Module, arguments: tuple[object, ...], named: dict[str, object]) -> None:
        tensors = [value for value in (*arguments, *named.values()) if isinstance(value, Tensor)]
        if not found and tensors and all(any(_is_same(value, each) for each in pixels) for value in tensors):
            found.append(module)

    listening = [part.register_forward_pre_hook(look, with_kwargs=True) for part in model.modules() if part is not model]
    try:
        ask()
    finally:
        for hook in listening:
            hook.remove()
    if not found:
        raise NotByRowsError("no part of it reads pictures alone")
    return found[0]


def _is_same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors hold the same numbers, whatever their shape."""
    return one.numel() == other.numel() and bool(torch.equal(one.flatten(), other.to(one).flatten()))


@dataclass(frozen=True)
class _Kept:
    """What a tower made of a row."""

    arguments: Sequence[Tensor]
    how: tuple[object, ...]
    made: Output


class TowerMemory:
    """Remembers, within `remembering`, what a tower made of each row of its arguments."""

    def __init__(self, tower: nn.Module) -> None:
        self._tower = tower
        self._kept: dict[tuple[float, ...], list[_Kept]] = {}

    @contextlib.contextmanager
    def remembering(self) -> Iterator[None]:
        """While it lasts the tower computes each distinct row once."""
        real, own = self._tower.forward, vars(self._tower).get("forward")

        def forward(*arguments: object, **named: object) -> Output:
            return self._answer(real, arguments, named)

        self._tower.forward = forward
        try:
            yield
        finally:
            del self._tower.forward
            if own is not None:  # what spreads a model over devices had put one there
                self._tower.forward = own
            self._kept.clear()

    def _answer(self, real: Callable[..., Output], arguments: tuple[object, ...], named: Mapping[str, object]) -> Output:
        places = dict[int | str, object]([*enumerate(arguments), *named.items()])
        tensors = {place: value for place, value in places.items() if isinstance(value, Tensor)}
        others = {place: value for place, value in places.items() if place not in tensors}
        if not tensors:
            return real(*arguments, **named)
        sizes = {len(value) for value in tensors.values() if value.ndim}
        if len(sizes) != 1 or not all(isinstance(value, Plain) for value in others.values()):
            raise NotByRowsError("its tower's arguments have no row for each picture")
        how = (*tensors, *sorted(others.items(), key=str))  # which stands where, and what is no tensor
        rows = [_row(tensors.values(), at) for at in range(sizes.pop())]
        keys = _sums(list(tensors.values()))
        missing = self._missing(keys, rows, how)
        if missing:
            chosen = {place: value[missing] for place, value in tensors.items()}
            made = real(
                *(chosen.get(place, value) for place, value in enumerate(arguments)),
                **{name: chosen.get(name, value) for name, value in named.items()},
            )
            for number, place in enumerate(missing):
                kept = _Kept(rows[place], how, _part(made, number, len(missing)))
                self._kept.setdefault(keys[place], []).append(kept)
        return _joined([cast(_Kept, self._found(key, row, how)).made for key, row in zip(keys, rows, strict=True)])

    def _missing(
        self, keys: Sequence[tuple[float, ...]], rows: Sequence[Sequence[Tensor]], how: tuple[object, ...]
    ) -> list[int]:
        """Places of the first of each kind of rows that were never seen."""
        new: dict[tuple[float, ...], list[int]] = {}
        for place, (key, row) in enumerate(zip(keys, rows, strict=True)):
            if self._found(key, row, how) is None and not any(_equal(rows[other], row) for other in new.get(key, ())):
                new.setdefault(key, []).append(place)
        return sorted(place for places in new.values() for place in places)

    def _found(self, key: tuple[float, ...], row: Sequence[Tensor], how: tuple[object, ...]) -> _Kept | None:
        return next((each for each in self._kept.get(key, ()) if each.how == how and _equal(each.arguments, row)), None)


def _row(tensors: Iterator[Tensor] | object, at: int) -> list[Tensor]:
    return [value[at] if value.ndim else value for value in cast(Iterator[Tensor], tensors)]


def _equal(one: Sequence[Tensor], other: Sequence[Tensor]) -> bool:
    return all(each.shape == that.shape and bool(torch.equal(each, that)) for each, that in zip(one, other, strict=True))


def _sums(tensors: Sequence[Tensor]) -> list[tuple[float, ...]]:
    """A few numbers a row by which rows are looked up before they are compared."""
    sums = [value.flatten(1).double() if value.ndim > 1 else value[:, None].double() for value in tensors if value.ndim]
    numbers = torch.stack([total for each in sums for total in (each.sum(dim=1), each[:, ::7].sum(dim=1))], dim=1)
    return [tuple(-1.0 if math.isnan(number) else number for number in row) for row in numbers.tolist()]


def _part(made: Output, at: int, rows: int) -> Output:
    """What was made of one row."""
    if isinstance(made, Tensor):
        if not made.ndim or len(made) != rows:
            raise NotByRowsError("its tower makes something that is not one row a picture")
        return made[at : at + 1]
    if isinstance(made, ModelOutput):
        return type(made)(**{name: _part(value, at, rows) for name, value in made.items()})
    return made if made is None else tuple(_part(each, at, rows) for each in made)


def _joined(parts: Sequence[Output]) -> Output:
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat(list(cast(Sequence[Tensor], parts)))
    if isinstance(first, ModelOutput):
        outputs = cast(Sequence[ModelOutput], parts)
        return type(first)(**{name: _joined([output[name] for output in outputs]) for name in first})
    if first is None:
        return None
    return tuple(_joined(each) for each in zip(*cast(Sequence[tuple[Output, ...]], parts), strict=True))
