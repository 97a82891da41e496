"""Safetensors files, written one weight at a time, so that a file may be larger than the memory.

Source: the description of the format in huggingface/safetensors, ``README.md``. The library itself writes a file from
weights that are all in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch

from mipha_eval.core.atomic import write_json
from mipha_eval.core.errors import UserError
from mipha_eval.models.conversion.planned_weight import TYPES, PlannedWeight
from mipha_eval.models.weights import INDEX, SINGLE

#: bytes of a file, as transformers splits checkpoints
SHARD_BYTES = 5 * 10**9

#: what a header's length is a multiple of, so that weights lie where their types may
ALIGNED = 8


def write_weights(folder: Path, weights: Iterable[PlannedWeight], most: int = SHARD_BYTES) -> None:
    """Writes ``model.safetensors``, or several files and their index where one would hold more than `most` bytes."""
    write_shards(folder, list(_split(weights, most)))


def write_shards(folder: Path, shards: Sequence[Sequence[PlannedWeight]]) -> None:
    """Writes files with these weights, and their index where there are several files."""
    if len(shards) == 1:
        write_file(folder / SINGLE, shards[0])
        return
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        write_file(folder / name, shard)
        places |= {weight.name: name for weight in shard}
    total = sum(weight.bytes for shard in shards for weight in shard)
    write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": places})


def _split(weights: Iterable[PlannedWeight], most: int) -> Iterator[list[PlannedWeight]]:
    shard: list[PlannedWeight] = []
    size = 0
    for weight in weights:
        if shard and size + weight.bytes > most:
            yield shard
            shard, size = [], 0
        shard.append(weight)
        size += weight.bytes
    yield shard


def write_file(file: Path, weights: Sequence[PlannedWeight]) -> None:
    """Writes a file. Raises OSError, and UserError for a weight that is not what its plan says."""
    ordered = sorted(weights, key=lambda weight: -weight.item_bytes)  # wide types first, as they have to lie
    with file.open("wb") as content:
        content.write(_header(ordered))
        for weight in ordered:
            made = weight.make()
            if tuple(made.shape) != weight.shape or made.dtype != TYPES[weight.dtype]:
                raise UserError(f"{weight.name} is {made.dtype} {list(made.shape)}, not what its file's header says")
            content.write(made.contiguous().reshape(-1).view(torch.uint8).numpy().data)


def _header(weights: Sequence[PlannedWeight]) -> bytes:
    """Length and text of the header."""
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    begin = 0
    for weight in weights:
        offsets = [begin, begin + weight.bytes]
        entries[weight.name] = {"dtype": weight.dtype, "shape": list(weight.shape), "data_offsets": offsets}
        begin = offsets[1]
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNED)
    return len(text).to_bytes(8, "little") + text
