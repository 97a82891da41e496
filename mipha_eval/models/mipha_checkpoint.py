"""Reading an official Mipha checkpoint: safetensors only, every weight accounted for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import init_empty_weights
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.activation import replace_activations
from mipha_eval.models.fingerprint import WANTED_FILES
from mipha_eval.models.language_models import MODEL_TYPES
from mipha_eval.models.mipha import HEAD, TOWER_PREFIX, MiphaNetwork, Parts, tower_of
from mipha_eval.models.pixels import Preprocessor
from mipha_eval.models.settings import read_settings
from mipha_eval.models.towers import TOWERS
from mipha_eval.models.weight_piece import Transform
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


@dataclass(frozen=True)
class Source:
    """Where a weight of `MiphaNetwork` comes from: a stored weight `key` and how it is made of that."""

    key: str
    stored: Stored
    change: Transform


@dataclass(frozen=True)
class MiphaFiles:
    """An official checkpoint's files, looked at but not read.

    Attributes:
        stored: headers of its weights, by their official names; those of the tower from its own folder where the
            checkpoint has none.
        keys: by official name, what the file calls a weight.
        tower_folder: where the tower's weights come from if not from the checkpoint.
    """

    folder: Path
    config: JsonObject
    stored: Mapping[str, Stored]
    keys: Mapping[str, str]
    tower_folder: Path | None

    @classmethod
    def of(cls, folder: Path, tower_folder: Path | None = None) -> MiphaFiles:
        """Looks at a checkpoint, and at its tower's folder if it has no tower itself. Raises UserError."""
        config = read_config(folder)
        stored = read_headers(weight_files(folder))
        keys = {key: key for key in stored}
        if any(key.startswith(TOWER_PREFIX) for key in stored):
            return cls(folder, config, stored, keys, None)
        if tower_folder is None:
            name = tower_of(config).get("vision_model_name_or_path")
            raise UserError(
                f"{folder} has no vision tower among its weights; name its folder or hub id (it was made with {name}) "
                "as vision_tower=",
                flag="-a vision_tower=PATH_OR_ID",
            )
        beside = read_headers(weight_files(tower_folder))
        named = {_tower_key(key): key for key in beside if _is_vision(key, beside)}
        stored |= {official: beside[key] for official, key in named.items()}
        return cls(folder, config, stored, {**keys, **named}, tower_folder)

    def parts(self, pixels: tuple[int, int] | None = None) -> Parts:
        """What it is made of. Raises UserError for what is not supported."""
        try:
            return Parts.of(self.config, self.stored, pixels)
        except UserError as error:
            raise UserError(f"{self.folder / 'config.json'}: {error}") from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise UserError(f"{self.folder / 'config.json'} does not describe a Mipha: {error!r}") from error

    def preprocessor(self) -> Preprocessor:
        """What the image processor's settings say, the checkpoint's before its tower's. Raises UserError."""
        parts, own = self.parts(), (self.folder / "preprocessor_config.json").is_file()
        folder = self.folder if own or self.tower_folder is None else self.tower_folder
        settings = read_settings(folder / "preprocessor_config.json")
        made = Preprocessor.from_settings(settings, self.config.get("image_aspect_ratio"), parts.tower.processor)
        if not parts.tower.any_size and (made.height, made.width) != parts.pixels:
            side = parts.pixels[0]
            raise UserError(f"{folder}: preprocessor makes {made.width} x {made.height} pixels, the tower takes {side}")
        return made


def read_config(folder: Path) -> JsonObject:
    """The checkpoint's ``config.json``. Raises UserError if it is not a Mipha that can be run."""
    config = read_settings(folder / "config.json")
    kind = config.get("model_type")
    if kind not in MODEL_TYPES:
        raise UserError(f"{folder} has model_type {kind!r}; the mipha adapter loads {', '.join(MODEL_TYPES)}")
    vision = config.get("vision_config")
    for part in ("vision_tower", "mm_projector"):
        if not isinstance(vision, Mapping) or not isinstance(vision.get(part), Mapping):
            raise UserError(f"{folder / 'config.json'} has no vision_config.{part}")
    if tower_of(config).get("mm_vision_select_feature", "patch") not in ("patch", "cls_patch"):
        raise UserError(f"{folder}: mm_vision_select_feature must be patch or cls_patch")
    return config


def load_network(files: MiphaFiles, parts: Parts, device: torch.device, dtype: torch.dtype) -> MiphaNetwork:
    """Builds the network and fills it.

    Raises:
        UserError: weights are missing, unexpected, of another shape or not finite; a file is damaged.
    """
    try:
        with init_empty_weights(include_buffers=False):
            network = MiphaNetwork(parts)
    except UserError as error:
        raise UserError(f"{files.folder / 'config.json'}: {error}") from error
    except (ArithmeticError, AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(f"{files.folder / 'config.json'} does not describe a Mipha: {error!r}") from error
    wanted = {name: weight for name, weight in network.state_dict().items() if not (parts.ties and name == HEAD)}
    sources = _sources(files, parts)
    _check_fit(files.folder, parts, wanted, sources)
    network.fill(_read_weights(files, sources, device, dtype), ties=parts.ties)
    replace_activations(network)
    return network.to(device).eval().requires_grad_(False)


def _is_vision(key: str, others: Mapping[str, Stored]) -> bool:
    """Whether a weight of a tower's own checkpoint is the tower's; CLIP and SigLIP come with a text model, too."""
    prefixes = tuple(tower.prefix for tower in TOWERS)
    return key.startswith(prefixes) or not any(other.startswith(prefixes) for other in others)


def _tower_key(key: str) -> str:
    return TOWER_PREFIX + key


def _sources(files: MiphaFiles, parts: Parts) -> dict[str, Source]:
    """Where each weight of `MiphaNetwork` comes from, of the weights that answers depend on."""
    found: dict[str, Source] = {}
    for key, stored in files.stored.items():
        if parts.is_dead(key):
            continue
        pieces = parts.pieces(key)
        if not pieces:
            raise UserError(f"{stored.file} holds {key}, which is no weight of a Mipha")
        found |= {name: Source(key, stored, change) for name, change in pieces.items()}
    return found


def _read_weights(
    files: MiphaFiles, sources: Mapping[str, Source], device: torch.device, dtype: torch.dtype
) -> dict[str, Tensor]:
    """The weights by their names in `MiphaNetwork`, in memory of their own: the files may be written again."""
    weights: dict[str, Tensor] = {}
    by_file: dict[Path, dict[str, list[str]]] = {}
    for name, source in sources.items():
        by_file.setdefault(source.stored.file, {}).setdefault(source.key, []).append(name)
    for file, keys in by_file.items():
        try:
            with safe_open(file, framework="pt", backend="pread") as shard:
                for key, names in keys.items():
                    stored = _finite(file, key, shard.get_tensor(files.keys[key]))
                    weights |= {name: sources[name].change(stored).to(device, dtype).contiguous() for name in names}
        except (OSError, SafetensorError) as error:
            raise UserError(f"{file} is damaged: {error}") from error
    return weights


def _finite(file: Path, key: str, weight: Tensor) -> Tensor:
    if not torch.isfinite(weight).all():
        raise UserError(f"{file}: weight {key} has NaN or infinite values; the checkpoint is broken")
    return weight


def _check_fit(folder: Path, parts: Parts, wanted: Mapping[str, Tensor], sources: Mapping[str, Source]) -> None:
    """Raises UserError unless names and shapes are those that config.json asks for."""
    missing, unexpected = sorted(wanted.keys() - sources.keys()), sorted(sources.keys() - wanted.keys())
    official = {name: source.key for name, source in sources.items()}
    for names, what in ((missing, "lacks"), (unexpected, "has unexpected")):
        if names:
            keys = list(dict.fromkeys(official.get(name) or parts.official(name) for name in names))
            shown = ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
            raise UserError(f"{folder} {what} {len(keys)} weights: {shown}; config and weights do not fit")
    for name, weight in wanted.items():
        source = sources[name]
        try:
            found = tuple(source.change(torch.empty(source.stored.shape, device="meta")).shape)
        except (IndexError, RuntimeError):  # its shape is not even one that can be cut
            found = source.stored.shape
        if tuple(weight.shape) != found or not all(found):
            shapes = f"{list(found)}, config.json asks for {list(weight.shape)}"
            raise UserError(f"{folder}: weight {source.key} has shape {shapes}")
