"""The weights of a checkpoint in its authors' layout as transformers' LLaVA has them, each accounted for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from accelerate import init_empty_weights
from torch import Tensor

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.conversion.llava_source import LlavaSource
from mipha_eval.models.conversion.native_names import module_name, stored_name
from mipha_eval.models.conversion.planned_weight import TYPES, PlannedWeight
from mipha_eval.models.llava_style.network import EMBEDDING, HEAD_WEIGHT
from mipha_eval.models.llava_style.weight_piece import Transform
from mipha_eval.models.pickled import DTYPES
from mipha_eval.models.weight_reader import WeightReader
from mipha_eval.models.weights import Stored

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: the norm behind a tower's last layer, which some checkpoints leave out since nothing is read behind it
UNREAD_NORM = "vision_tower.post_layernorm."

#: rows that are summed at once
ROWS = 4096


@dataclass(frozen=True)
class Origin:
    """Where a weight of the network comes from; as in `llava_style.checkpoint`, those that no answer depends on, too."""

    key: str
    stored: Stored
    change: Transform


def planned_weights(source: LlavaSource, config: JsonObject) -> list[PlannedWeight]:
    """What is to be written. Raises UserError where it is not all that transformers' model has, in its shapes."""
    wanted = _wanted(config)
    origins = {name: origin for name, origin in _origins(source) if module_name(name) in wanted}
    read = partial(_read, source, WeightReader())
    planned = {name: _planned(name, origin, read) for name, origin in origins.items()}
    for name in (EMBEDDING, HEAD_WEIGHT):
        if name in planned:
            planned[name] = grown(planned[name], wanted[module_name(name)].shape[0])
    if source.parts.ties:
        planned.pop(HEAD_WEIGHT, None)
        wanted.pop(module_name(HEAD_WEIGHT))
    weights = {module_name(name): weight for name, weight in planned.items()}
    weights |= {name: weight for name, weight in _unread_norm(wanted, weights).items() if name not in weights}
    _check(source, wanted, weights)
    return list(weights.values())


def _wanted(config: JsonObject) -> dict[str, Tensor]:
    """The weights of transformers' model, without content."""
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    with init_empty_weights():
        build: Callable[..., PreTrainedModel] = LlavaForConditionalGeneration._from_config
        # of a copy: transformers writes into what it is given
        return build(LlavaConfig.from_dict(copy.deepcopy({**config}))).state_dict()


def _origins(source: LlavaSource) -> Iterator[tuple[str, Origin]]:
    for key, stored in source.files.stored.items():
        for name, change in source.parts.pieces(key).items():
            yield name, Origin(key, stored, change)


def _planned(name: str, origin: Origin, read: Callable[[Origin], Tensor]) -> PlannedWeight:
    shape = tuple(origin.change(torch.empty(origin.stored.shape, device="meta")).shape)
    return PlannedWeight(stored_name(name), shape, origin.stored.dtype, partial(read, origin))


def _read(source: LlavaSource, reader: WeightReader, origin: Origin) -> Tensor:
    """A weight, with what an adapter adds to it."""
    weight = reader.read(origin.stored)
    adapter = source.files.adapter
    if adapter and adapter.changes(origin.key):
        weight = adapter.merged(origin.key, weight)
    return origin.change(weight)


def grown(weight: PlannedWeight, rows: int) -> PlannedWeight:
    """With more rows, each the mean of those that are there: as a row of the head it never gives the largest logit."""
    added = rows - weight.shape[0]
    if added <= 0:
        return weight

    def make() -> Tensor:
        made = weight.make()
        total = sum(
            (part.sum(dim=0, dtype=torch.float64) for part in torch.split(made, ROWS)), torch.zeros((), dtype=torch.float64)
        )
        return torch.cat([made, (total / len(made)).to(made.dtype).expand(added, -1)])

    return PlannedWeight(weight.name, (rows, *weight.shape[1:]), weight.dtype, make)


def _unread_norm(wanted: dict[str, Tensor], found: dict[str, PlannedWeight]) -> dict[str, PlannedWeight]:
    """The norm that nothing is read behind, where a checkpoint does not have it: one that changes nothing."""
    dtype = next(weight.dtype for weight in found.values())
    fills: dict[str, Callable[..., Tensor]] = {"weight": torch.ones, "bias": torch.zeros}
    made = {}
    for part, fill in fills.items():
        name = UNREAD_NORM + part
        size = tuple(wanted[module_name(name)].shape)
        make = partial(fill, size, dtype=TYPES[dtype])
        made[module_name(name)] = PlannedWeight(stored_name(name), size, dtype, make)
    return made


def _check(source: LlavaSource, wanted: dict[str, Tensor], found: dict[str, PlannedWeight]) -> None:
    folder = source.files.places.folder
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        raise UserError(f"{folder} has nothing for {missing[0]}, which a LLaVA of transformers has")
    for name, weight in found.items():
        if tuple(wanted[name].shape) != weight.shape:
            raise UserError(f"{folder}: {weight.name} is {list(weight.shape)}, not {list(wanted[name].shape)}")
        if weight.dtype not in set(DTYPES.values()):
            raise UserError(f"{folder}: {weight.name} is stored as {weight.dtype}, which cannot be written")
