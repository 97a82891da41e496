"""Reading an official Mipha checkpoint: safetensors only, every weight accounted for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import torch
from accelerate import init_empty_weights
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.activation import replace_activations
from mipha_eval.models.fingerprint import WANTED_FILES
from mipha_eval.models.mipha import (
    DECODERS,
    MiphaNetwork,
    is_dead_weight,
    module_key_to_official,
    official_key_to_module,
    tower_of,
)
from mipha_eval.models.settings import read_settings
from mipha_eval.models.weights import Stored, read_headers, weight_files

logger = logging.getLogger(__name__)


def locate_checkpoint(path: str, revision: str | None) -> Path:
    """A local folder as it is, else a snapshot of a hub repository. Raises UserError if there is neither."""
    folder = Path(path).expanduser()
    if folder.is_dir():
        return folder
    if path.startswith(("/", ".", "~")) or path.count("/") != 1:
        raise UserError(f"checkpoint folder {path} does not exist")
    from huggingface_hub import snapshot_download

    logger.info("%s comes from the hub; what is not here yet is fetched", path)
    try:
        return Path(snapshot_download(path, revision=revision, allow_patterns=list(WANTED_FILES)))
    except Exception as error:  # huggingface_hub raises its own, requests' and OSErrors here
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path} is no local folder and cannot be fetched from the hub: {reason}") from error


def read_config(folder: Path) -> JsonObject:
    """The checkpoint's ``config.json``. Raises UserError if it is not a Mipha that can be run."""
    config = read_settings(folder / "config.json")
    kind = config.get("model_type")
    if kind not in DECODERS:
        raise UserError(f"{folder} has model_type {kind!r}; the mipha adapter loads {', '.join(DECODERS)}")
    vision = config.get("vision_config")
    for part in ("vision_tower", "mm_projector"):
        if not isinstance(vision, Mapping) or not isinstance(vision.get(part), Mapping):
            raise UserError(f"{folder / 'config.json'} has no vision_config.{part}")
    if tower_of(config).get("mm_vision_select_feature", "patch") not in ("patch", "cls_patch"):
        raise UserError(f"{folder}: mm_vision_select_feature must be patch or cls_patch, which are the same for SigLIP")
    if config.get("mm_use_im_start_end"):
        raise UserError(f"{folder}: mm_use_im_start_end is not supported")
    return config


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
    stored = _weights_of(folder, network.select_layer)
    _check_fit(folder, network.state_dict(), stored)
    network.load_state_dict(_read_weights(stored, device, dtype), assign=True)
    replace_activations(network)
    return network.to(device).eval().requires_grad_(False)


def _weights_of(folder: Path, select_layer: int) -> dict[str, Stored]:
    """Headers of the weights that answers depend on, by their names in the official checkpoint."""
    stored = read_headers(weight_files(folder))
    for key, header in stored.items():
        if official_key_to_module(key) is None:
            raise UserError(f"{header.file} holds {key}, which is no weight of a Mipha")
    return {key: header for key, header in stored.items() if not is_dead_weight(key, select_layer)}


def _read_weights(stored: Mapping[str, Stored], device: torch.device, dtype: torch.dtype) -> dict[str, Tensor]:
    """The weights by their names in `MiphaNetwork`, in memory of their own: the files may be written again."""
    weights = {}
    by_file: dict[Path, list[str]] = {}
    for key, header in stored.items():
        by_file.setdefault(header.file, []).append(key)
    for file, keys in by_file.items():
        try:
            with safe_open(file, framework="pt", backend="pread") as shard:
                for key in keys:
                    weight = _finite(file, key, shard.get_tensor(key)).to(device, dtype)
                    weights[str(official_key_to_module(key))] = weight
        except (OSError, SafetensorError) as error:
            raise UserError(f"{file} is damaged: {error}") from error
    return weights


def _finite(file: Path, key: str, weight: Tensor) -> Tensor:
    if not torch.isfinite(weight).all():
        raise UserError(f"{file}: weight {key} has NaN or infinite values; the checkpoint is broken")
    return weight


def _check_fit(folder: Path, wanted: Mapping[str, Tensor], stored: Mapping[str, Stored]) -> None:
    """Raises UserError unless names and shapes are those that config.json asks for."""
    found = {str(official_key_to_module(key)): header for key, header in stored.items()}
    missing, unexpected = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    for names, what in ((missing, "lacks"), (unexpected, "has unexpected")):
        if names:
            shown = ", ".join(map(module_key_to_official, names[:3])) + (", ..." if len(names) > 3 else "")
            raise UserError(f"{folder} {what} {len(names)} weights: {shown}; config and weights do not fit")
    for name, weight in wanted.items():
        if tuple(weight.shape) != found[name].shape:
            shapes = f"{list(found[name].shape)}, config.json asks for {list(weight.shape)}"
            raise UserError(f"{folder}: weight {module_key_to_official(name)} has shape {shapes}")
