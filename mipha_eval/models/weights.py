"""Which files hold a checkpoint's weights, by the rule of transformers' ``from_pretrained``, and what their headers say."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from mipha_eval.core.errors import UserError
from mipha_eval.models.pickled import DTYPES, PickledFile
from mipha_eval.models.settings import read_settings

logger = logging.getLogger(__name__)

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"

#: the same in torch's own format, a pickle, which is read only where somebody allowed it
PICKLED_SINGLE, PICKLED_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"

#: files of that format
PICKLED = ("*.bin", "*.bin.index.json")

#: weights of other libraries
FOREIGN = ("*.pt", "*.pth", "*.ckpt", "*.gguf")

#: files that transformers takes for parts of a training's distributed checkpoint, before any other
DISTRIBUTED = re.compile(r"shard-\d{5}-model-\d{5}-of-\d{5}\.safetensors")

LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class Stored:
    """What a file's header says of a weight: its name there, its shape, and its dtype in safetensors' words, as ``BF16``."""

    file: Path
    key: str
    shape: tuple[int, ...]
    dtype: str


def weight_files(folder: Path, *, pickled: bool = False) -> list[Path]:
    """The files that are loaded, in the order in which a later one's weight replaces an earlier one's.

    Source: transformers 5.23, ``_get_resolved_checkpoint_files``: what ``config.json`` names as ``transformers_weights``,
    else ``model.safetensors``, else the files that ``model.safetensors.index.json`` names. Others are never read.

    Args:
        pickled: whether ``pytorch_model.bin`` and its shards may be taken where there is nothing else.

    Raises:
        UserError: there are none, or the index names one that is missing or elsewhere.
    """
    index = index_file(folder, pickled=pickled)
    if index is not None:
        return _shards(folder, index)
    single = folder / _named(folder)
    if pickled and not single.is_file() and (folder / PICKLED_SINGLE).is_file():
        return [folder / PICKLED_SINGLE]
    if not single.is_file():
        raise UserError(f"{folder} has no {single.name}{_instead(folder)}")
    return [single]


def has_weights(folder: Path, *, pickled: bool = False) -> bool:
    """Whether a folder has the weights of a whole model, in files that may be read."""
    if index_file(folder, pickled=pickled):
        return True
    try:
        return bool(weight_files(folder, pickled=pickled))
    except UserError:
        return False


def index_file(folder: Path, *, pickled: bool = False) -> Path | None:
    """The index that is read, of safetensors or, where that is allowed, of pickled files.

    None where a single file holds all weights, and where there are no weights.

    Raises:
        UserError: the folder is a training's distributed checkpoint.
    """
    if any(DISTRIBUTED.fullmatch(file.name) for file in folder.glob("shard-*.safetensors")):
        raise UserError(f"{folder} is a distributed checkpoint (shard-*.safetensors); save it whole with save_pretrained")
    named = _named(folder)
    if named.endswith(".index.json"):
        return folder / named
    if named != SINGLE or (folder / SINGLE).is_file():
        return None
    if (folder / INDEX).is_file():
        return folder / INDEX
    shards = pickled and not (folder / PICKLED_SINGLE).is_file() and (folder / PICKLED_INDEX).is_file()
    return folder / PICKLED_INDEX if shards else None


def _named(folder: Path) -> str:
    config = folder / "config.json"
    if not config.is_file():
        raise UserError(f"{folder} has no config.json{_instead(folder)}")
    name = read_settings(config).get("transformers_weights") or SINGLE
    if not isinstance(name, str) or not name.endswith((".safetensors", ".safetensors.index.json")):
        raise UserError(f"{config}: transformers_weights {name!r} is no safetensors file")
    return _inside(config, name)


def _inside(source: Path, name: str) -> str:
    """A file's name as it is. Raises UserError for one that leads out of the folder."""
    if Path(name).is_absolute() or os.path.normpath(name).startswith(".."):
        raise UserError(f"{source} names {name}, which is outside of its folder")
    return name


def _shards(folder: Path, index: Path) -> list[Path]:
    shards = read_settings(index).get("weight_map")
    if not isinstance(shards, dict) or not shards or not all(isinstance(name, str) for name in shards.values()):
        raise UserError(f"{index} has no weight_map; the checkpoint is broken")
    files = [folder / _inside(index, name) for name in sorted(set(shards.values()))]
    missing = [str(file.relative_to(folder)) for file in files if not file.is_file()]
    if missing:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise UserError(f"{folder} lacks {shown}, which its index names; copy or download the checkpoint again")
    return files


def check_index(folder: Path) -> None:
    """Raises UserError for an index that transformers does not read, as a script may have written it."""
    index = index_file(folder)
    if index is not None and not isinstance(read_settings(index).get("metadata"), dict):
        raise UserError(
            f'{index} has no "metadata", without which transformers does not read it; add "metadata": {{}} to it'
        )


def note_adapter(folder: Path) -> None:
    """Says that an adapter (LoRA) beside a whole model is not read, as transformers does not without peft."""
    if (folder / "adapter_config.json").is_file() and (folder / "config.json").is_file():
        logger.warning("%s: the adapter of adapter_config.json is left out, the model beside it is read", folder)


def _instead(folder: Path) -> str:
    """What a folder without weights has in their place, and what to do about it."""
    if (folder / "adapter_config.json").is_file():
        return ", it is an adapter (LoRA); merge it into its base model with peft's merge_and_unload and save that"
    if not (folder / "config.json").is_file():
        return "; is it a checkpoint folder?"
    others = sorted(file.name for file in folder.glob("*.safetensors"))
    if others:
        return f" and no {INDEX}; {', '.join(others[:3])} is not read under this name: rename it, or copy the index too"
    pickled = sorted(file.name for file in folder.glob("*.bin"))
    if pickled:
        return (
            f", no .safetensors weights; {', '.join(pickled[:3])} is a pickle, which may be a program: "
            f"mipha-eval convert {folder} -o OUT makes safetensors of it and reads nothing but data"
        )
    foreign = sorted(file.name for pattern in FOREIGN for file in folder.glob(pattern))
    if foreign:
        return f", no .safetensors weights; {', '.join(foreign[:3])} would have to be converted"
    return ", no .safetensors weights at all; is it a checkpoint folder?"


def read_headers(files: Sequence[Path], *, quantized: bool = False) -> dict[str, Stored]:
    """Name, shape and dtype of every weight, from the beginnings of the files.

    Args:
        quantized: whether ``config.json`` says so; only then may weights be whole numbers.

    Raises:
        UserError: a file is damaged, cut off or no safetensors.
    """
    found: dict[str, Stored] = {}
    for file in files:
        found |= _header(file) if file.suffix == ".safetensors" else _pickled_header(file)
    for name, stored in found.items():
        if not quantized and name.endswith("weight") and stored.dtype.startswith(("I", "U", "BOOL")):
            what = f"{name} is stored as {stored.dtype}, in whole numbers"
            raise UserError(f"{stored.file}: {what}, but config.json has no quantization_config that says how to read them")
    return found


def _header(file: Path) -> dict[str, Stored]:
    found: dict[str, Stored] = {}
    try:
        with file.open("rb") as content:
            beginning = content.read(len(LFS_POINTER))
        if beginning in (b"", LFS_POINTER):
            what = "a git-lfs pointer, not the weights; run git lfs pull there" if beginning else "empty"
            raise UserError(f"{file} is damaged: it is {what}")
        with safe_open(file, framework="pt") as shard:
            for key in shard.keys():  # noqa: SIM118 - a shard is no dict
                entry = shard.get_slice(key)
                found[key] = Stored(file, key, tuple(entry.get_shape()), entry.get_dtype())
    except (OSError, SafetensorError) as error:
        raise UserError(f"{file} is damaged: {error}; copy or download it again") from error
    return found


def _pickled_header(file: Path) -> dict[str, Stored]:
    known = PickledFile.open(file).weights
    return {key: Stored(file, key, tuple(weight.shape), DTYPES[weight.dtype]) for key, weight in known.items()}
