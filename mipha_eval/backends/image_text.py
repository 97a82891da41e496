"""Image-text models of transformers from a local folder: loaded without what no answer depends on."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

from mipha_eval.backends.activation import replace_activations
from mipha_eval.backends.chat import Head
from mipha_eval.errors import UserError

#: vision towers whose layers above the one that is read can be left out
TRIMMED_TOWERS = ("siglip_vision_model", "clip_vision_model")

#: what a tower puts out beside what the decoder reads
STEPS = ("last_hidden_state", "hidden_states", "attentions")

#: what such a checkpoint holds beside: upper layers, the pooling head
DEAD = re.compile(r"\bvision_tower\.(vision_model\.)?(encoder\.layers\.\d+|head)\.")


def load_model(folder: Path, device: torch.device, dtype: torch.dtype, auto: Any = AutoModelForImageTextToText) -> Any:
    """A model that `auto` loads. Raises UserError if transformers has no such model or the weights do not fit."""
    logging: Any = transformers.logging
    logging.set_verbosity_error()  # its reports on weights that are left out on purpose
    logging.disable_progress_bar()
    auto_config: Any = AutoConfig
    try:
        config = auto_config.from_pretrained(folder, trust_remote_code=False)
        trimmed = leave_out_dead_layers(config)
        model, info = auto.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            device_map={"": device},
        )
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, ImportError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"{folder} cannot be loaded by transformers' {auto.__name__}: {reason}") from error
    unexpected = [key for key in info["unexpected_keys"] if not (trimmed and DEAD.search(key))]
    for keys, what in ((info["missing_keys"], "lacks"), (unexpected, "has unexpected")):
        if keys:
            raise UserError(
                f"{folder} {what} {len(keys)} weights: {', '.join(sorted(keys)[:3])}; config and weights do not fit"
            )
    replace_activations(model)
    return model.eval().requires_grad_(False)


def load_processor(folder: Path) -> Any:
    """The processor, without its part for videos, which needs torchvision. Raises UserError if there is no usable one."""
    try:
        processor = _processor_class(folder).from_pretrained(folder, trust_remote_code=False)
        if processor.tokenizer.pad_token is None:  # padding is masked, whatever it is
            processor.tokenizer.pad_token = processor.tokenizer.eos_token
        return processor
    except Exception as error:  # whatever broken files or missing packages lead to
        raise UserError(f"{folder} has no usable processor: {str(error).strip().partition(chr(10))[0]}") from error


def _processor_class(folder: Path) -> Any:
    names = [
        json.loads((folder / file).read_text(encoding="utf-8")).get("processor_class")
        for file in ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")
        if (folder / file).is_file()
    ]
    owner = getattr(transformers, next(filter(None, names), ""), None)
    if owner is None or "video_processor" not in owner.get_attributes():
        return AutoProcessor
    return without_videos(owner)


def without_videos(owner: Any) -> Any:
    """A processor class that needs no part for videos."""
    parts = [part for part in owner.get_attributes() if part != "video_processor"]
    made_from = owner.from_args_and_dict.__func__

    def from_parts(cls: Any, given: Any, settings: Any, /, **others: Any) -> Any:
        return made_from(cls, given, {**settings, "video_processor": None}, **others)

    own: dict[str, Any] = {"get_attributes": staticmethod(lambda: parts), "from_args_and_dict": classmethod(from_parts)}
    return type(owner.__name__, (owner,), own)


def leave_out_dead_layers(config: Any) -> bool:
    """Leaves out of a CLIP or SigLIP tower the layers above the one that is read, and its pooling head; false elsewhere."""
    fields = config.to_dict()
    vision, select = fields.get("vision_config"), fields.get("vision_feature_layer")
    if not isinstance(select, int) or not vision or vision["model_type"] not in TRIMMED_TOWERS:
        return False
    tower = config.vision_config
    tower.num_hidden_layers = select % (tower.num_hidden_layers + 1)
    tower.vision_use_head = False
    config.vision_feature_layer = -1
    return True


def end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """The token ids that end an answer, as the checkpoint's generation settings say, else the tokenizer's."""
    ids = model.generation_config.eos_token_id
    ids = tokenizer.eos_token_id if ids is None else ids
    return frozenset(ids if isinstance(ids, list) else [ids])


def image_features(model: Any, inputs: Mapping[str, Tensor]) -> dict[str, Any]:
    """What the model's forward takes in place of pixels, from what the processor made of images."""
    encode = model.base_model.get_image_features
    wanted = inspect.signature(encode).parameters
    return {"image": encode(**{name: value for name, value in inputs.items() if name in wanted}, return_dict=True)}


def has_three_axes(config: Any) -> bool:
    """Whether image tokens have positions in height, width and time (M-RoPE)."""
    return "mrope_section" in (getattr(config, "rope_parameters", None) or {})


def head_positions(model: Any, head: Head) -> Tensor:
    """Positions [axes, tokens] of a head's tokens in a model with M-RoPE."""
    ids = torch.tensor([head.ids], device=model.device)
    inputs = {name: value.to(model.device) for name, value in head.inputs.items() if name.endswith("_thw")}
    kinds = None if head.kinds is None else head.kinds.to(model.device)
    positions, _ = model.base_model.get_rope_index(ids, mm_token_type_ids=kinds, **inputs)
    found: Tensor = positions[:, 0].cpu()
    return found


def joined_features(parts: Sequence[Any]) -> dict[str, Any]:
    """Features of several images, each encoded alone, as one: all that the tower made but what it made them from."""
    made = [part["image"] for part in parts]
    together = {name: _joined([each[name] for each in made]) for name in made[0] if name not in STEPS}
    return {"image": type(made[0])(**together)}


def _joined(values: Sequence[Any]) -> Any:
    """Tensors end to end, lists of images one behind the other, lists of such lists (one a layer) layer by layer."""
    if isinstance(values[0], Tensor):
        return torch.cat(list(values))
    if isinstance(values[0][0], Tensor):
        return [each for value in values for each in value]
    return [_joined(layer) for layer in zip(*values, strict=True)]
