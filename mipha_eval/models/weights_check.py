"""Do the weights fit the configuration? Asked of the files' headers, before anything large is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from transformers import initialization

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.auto_model import AutoModel, LoadingInfo
from mipha_eval.models.settings import read_settings
from mipha_eval.models.weights import Stored

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

#: what a checkpoint may hold beside what is loaded: a vision tower's upper layers, its pooling head
DEAD = re.compile(r"\b(vision|image|video)_tower\.(vision_model\.)?(encoder\.layers\.\d+|head)\.")

#: entries of config.json that say how many layers there are
DEPTHS = frozenset({"num_hidden_layers", "num_layers", "n_layer", "n_layers", "depth", "encoder_layers", "decoder_layers"})

#: layers that are made of a configuration without a look at the weights
MANY = 1000

#: an entry of config.json by which checkpoints of LLaVA's own code are known, and those of many who built on it
LLAVA_ENTRIES = ("mm_vision_tower", "mm_projector_type", "mm_hidden_size")


def refuse_foreign(folder: Path) -> None:
    """Raises UserError for a checkpoint of another project's code, though its model_type may be one of transformers'."""
    config = read_settings(folder / "config.json")
    if (folder / "adapter_config.json").is_file() and find_spec("peft"):
        raise UserError(f"{folder} holds a model and an adapter (adapter_config.json); merge them, or move the adapter away")
    if str(config.get("model_type")).startswith("mipha"):
        raise UserError(f"{folder} is a Mipha checkpoint; the model mipha runs it", flag="--model mipha")
    found = next((entry for entry in LLAVA_ENTRIES if entry in config), None)
    if found:
        raise UserError(
            f"{folder} is in the format of LLaVA's own code ({found} in config.json), which transformers does not read; the "
            f"model llava runs it as it is, and mipha-eval convert {folder} makes one of transformers of it",
            flag="--model llava",
        )


def check_depth(file: Path, config: JsonObject, weights: int) -> None:
    """Raises UserError where a configuration asks for more layers than there are weights.

    To be asked before a network is made of it: even without memory for weights, a billion of layers is never done.
    """
    for name, value in config.items():
        if isinstance(value, Mapping):
            check_depth(file, value, weights)
        elif name in DEPTHS and isinstance(value, int | float) and value > max(weights, MANY):
            raise UserError(f"{file} asks for {name} {value:.9g} of {weights} weights; config and weights do not fit")


def check_fit(
    folder: Path, auto: AutoModel, config: PreTrainedConfig, stored: Mapping[str, Stored], *, trimmed: bool
) -> None:
    """Loads a model's names and shapes alone, as transformers loads weights, with all its renaming and joining.

    A model that cannot be built so is left to its real loading, which reports the same.

    Raises:
        UserError: a weight is missing, unexpected or of another shape.
    """
    shapes = {name: torch.empty(header.shape, device="meta") for name, header in stored.items()}
    try:
        with torch.device("meta"), initialization.meta_device_safe_creation_ops():
            build: Callable[..., PreTrainedModel] = auto.from_config
            owner = type(build(config, trust_remote_code=False))
        loaded = owner.from_pretrained(
            None,
            config=config,
            state_dict=shapes,
            device_map={"": "meta"},
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        return  # a step of building or joining that needs numbers
    _, info = cast("tuple[object, LoadingInfo]", loaded)
    refuse_misfits(folder, info, trimmed=trimmed)


def refuse_misfits(folder: Path, info: LoadingInfo, *, trimmed: bool) -> None:
    """Raises UserError for what transformers' loading reports.

    Args:
        trimmed: whether parts of a vision tower were left out on purpose.
    """
    unexpected = [key for key in info["unexpected_keys"] if not (trimmed and DEAD.search(key))]
    for keys, what in ((info["missing_keys"], "lacks"), (unexpected, "has unexpected")):
        if keys:
            shown = ", ".join(sorted(keys)[:3]) + (", ..." if len(keys) > 3 else "")
            raise UserError(f"{folder} {what} {len(keys)} weights: {shown}; config and weights do not fit")
    for name, found, wanted in sorted(info["mismatched_keys"])[:1]:
        raise UserError(f"{folder}: weight {name} has shape {list(found)}, config.json asks for {list(wanted)}")
