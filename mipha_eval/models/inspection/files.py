"""A checkpoint's files as they lie there, whatever they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.settings import read_settings
from mipha_eval.models.weights import FOREIGN, Stored

#: endings of files that may hold weights
WEIGHTS = ("*.safetensors", "*.bin", *FOREIGN)

#: entries of a config.json that say at a glance what it is
TELLING = (
    *("model_type", "architectures", "hidden_size", "num_hidden_layers", "vocab_size", "torch_dtype", "dtype"),
    *("mm_vision_tower", "mm_projector_type", "image_aspect_ratio"),
)


def folder_facts(folder: Path) -> JsonObject:
    """Sizes of the files that may hold weights."""
    sizes = {file.name: file.stat().st_size for file in weight_like(folder)}
    return {"weight_files": len(sizes), "bytes": sum(sizes.values())} if sizes else {"weight_files": 0}


def config_facts(folder: Path) -> JsonObject:
    """Telling entries of its ``config.json``; nothing if that cannot be read."""
    with suppress(UserError):
        config = read_settings(folder / "config.json")
        return {name: config[name] for name in TELLING if config.get(name) is not None}
    return {}


def weight_like(folder: Path) -> list[Path]:
    """Files that may hold weights."""
    return sorted(file for pattern in WEIGHTS for file in folder.glob(pattern) if file.is_file())


def file_bytes(files: Iterable[Path]) -> int:
    """Bytes of files together."""
    return sum(file.stat().st_size for file in set(files))


def numbers(stored: Iterable[Stored]) -> int:
    """Numbers that weights hold."""
    total = 0
    for each in stored:
        count = 1
        for length in each.shape:
            count *= length
        total += count
    return total


def dtypes(stored: Mapping[str, Stored]) -> dict[str, int]:
    """Numbers by the type in which they are stored, the most frequent first."""
    counts: Counter[str] = Counter()
    for each in stored.values():
        counts[each.dtype] += numbers([each])
    return dict(counts.most_common())
