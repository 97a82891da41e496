"""Reading an official Mipha checkpoint: safetensors only, every weight accounted for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mipha_eval.backends.activation import replace_activations
from mipha_eval.backends.mipha import DECODERS, MiphaNetwork, is_dead_weight, module_key_to_official, official_key_to_module
from mipha_eval.errors import UserError

WANTED_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")


def locate_checkpoint(path: str, revision: str | None) -> Path:
    """A local folder as it is, else a snapshot of a hub repository. Raises UserError if there is neither."""
    folder = Path(path).expanduser()
    if folder.is_dir():
        return folder
    if path.startswith(("/", ".", "~")) or path.count("/") != 1:
        raise UserError(f"checkpoint folder {path} does not exist")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(path, revision=revision, allow_patterns=list(WANTED_FILES)))
    except Exception as error:  # huggingface_hub raises its own, requests' and OSErrors here
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path} is no local folder and cannot be fetched from the hub: {reason}") from error


def read_config(folder: Path) -> dict[str, Any]:
    """The checkpoint's ``config.json``. Raises UserError if it is not a Mipha that can be run."""
    config = read_settings(folder / "config.json")
    kind = config.get("model_type")
    if kind not in DECODERS:
        raise UserError(f"{folder} has model_type {kind!r}; the mipha adapter loads {', '.join(DECODERS)}")
    vision = config.get("vision_config")
    for part in ("vision_tower", "mm_projector"):
        if not isinstance(vision, dict) or not isinstance(vision.get(part), dict):
            raise UserError(f"{folder / 'config.json'} has no vision_config.{part}")
    if config["vision_config"]["vision_tower"].get("mm_vision_select_feature", "patch") not in ("patch", "cls_patch"):
        raise UserError(f"{folder}: mm_vision_select_feature must be patch or cls_patch, which are the same for SigLIP")
    if config.get("mm_use_im_start_end"):
        raise UserError(f"{folder}: mm_use_im_start_end is not supported")
    return config


def read_settings(path: Path) -> dict[str, Any]:
    """A JSON file of a checkpoint. Raises UserError if it is missing or broken."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}; is {path.parent} a checkpoint folder?") from error
    if not isinstance(settings, dict):
        raise UserError(f"{path} is not a JSON object; is {path.parent} a checkpoint folder?")
    return settings


def weight_files(folder: Path) -> list[Path]:
    """The safetensors shards. Raises UserError if there are none, or one that the index names is missing."""
    index = folder / "model.safetensors.index.json"
    if index.exists():
        shards = read_settings(index).get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(name, str) for name in shards.values()):
            raise UserError(f"{index} has no weight_map; the checkpoint is broken")
        files = [folder / name for name in sorted(set(shards.values()))]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise UserError(f"{folder} lacks {', '.join(missing)}, which its index names")
        return files
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        other = ", ".join(path.name for path in sorted(folder.glob("*.bin")))
        raise UserError(f"{folder} has no .safetensors weights{f'; {other} would have to be converted' if other else ''}")
    return files


def load_network(folder: Path, device: torch.device, dtype: torch.dtype) -> MiphaNetwork:
    """Builds the network and fills it.

    Raises:
        UserError: weights are missing, unexpected, of another shape or not finite; a file is damaged.
    """
    config = read_config(folder)
    try:
        with init_empty_weights(include_buffers=False):
            network = MiphaNetwork(config)
    except UserError as error:
        raise UserError(f"{folder / 'config.json'}: {error}") from error
    except (ArithmeticError, AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(f"{folder / 'config.json'} does not describe a Mipha: {error!r}") from error
    weights = _read_weights(folder, network.select_layer, device, dtype)
    _check_names(folder, network.state_dict(), weights)
    network.load_state_dict(weights, assign=True)
    replace_activations(network)
    return network.to(device).eval().requires_grad_(False)


def _read_weights(folder: Path, select_layer: int, device: torch.device, dtype: torch.dtype) -> dict[str, Tensor]:
    weights = {}
    for file in weight_files(folder):
        try:
            with safe_open(file, framework="pt") as shard:
                for key in shard.keys():  # noqa: SIM118 - a shard is no dict
                    name = official_key_to_module(key)
                    if name is None:
                        raise UserError(f"{file} holds {key}, which is no weight of a Mipha")
                    if not is_dead_weight(key, select_layer):
                        weights[name] = _finite(file, key, shard.get_tensor(key)).to(device, dtype)
        except (OSError, SafetensorError) as error:
            raise UserError(f"{file} is damaged: {error}") from error
    return weights


def _finite(file: Path, key: str, weight: Tensor) -> Tensor:
    if not torch.isfinite(weight).all():
        raise UserError(f"{file}: weight {key} has NaN or infinite values; the checkpoint is broken")
    return weight


def _check_names(folder: Path, wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    missing, unexpected = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    for names, what in ((missing, "lacks"), (unexpected, "has unexpected")):
        if names:
            shown = ", ".join(map(module_key_to_official, names[:3])) + (", ..." if len(names) > 3 else "")
            raise UserError(f"{folder} {what} {len(names)} weights: {shown}; config and weights do not fit")
    for name, weight in wanted.items():
        if weight.shape != found[name].shape:
            shapes = f"{list(found[name].shape)}, config.json asks for {list(weight.shape)}"
            raise UserError(f"{folder}: weight {module_key_to_official(name)} has shape {shapes}")


def fingerprint(folder: Path) -> str:
    """Identifies a checkpoint by all that decides its answers: configuration, tokenizer, preprocessor and every weight."""
    digest = hashlib.sha256()
    settings = (file for pattern in WANTED_FILES for file in folder.glob(pattern) if file.suffix != ".safetensors")
    for file in sorted({*settings, *weight_files(folder)}):
        digest.update(f"{file.name}:{file.stat().st_size}".encode())
        with file.open("rb") as content:
            while part := content.read(1 << 22):
                digest.update(part)
    return digest.hexdigest()[:16]
