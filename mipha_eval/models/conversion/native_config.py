"""``config.json`` of transformers' LLaVA for a checkpoint in its authors' layout, or why there can be none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import whole_of
from mipha_eval.models.conversion.llava_source import LlavaSource
from mipha_eval.models.llava_style.layouts.layout import TOWER
from mipha_eval.models.llava_style.layouts.llava import LLAVA
from mipha_eval.models.llava_style.layouts.llava_next import LLAVA_NEXT
from mipha_eval.models.llava_style.layouts.mipha import LLAVA_PHI, MIPHA
from mipha_eval.models.llava_style.official_generation import official_generation
from mipha_eval.models.llava_style.towers.clip import CLIP
from mipha_eval.models.llava_style.towers.siglip import FIELDS, SIGLIP
from mipha_eval.models.settings import read_settings

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

#: layouts of which all is known that transformers has to hold
HELD = (LLAVA.name, LLAVA_NEXT.name, LLAVA_PHI.name, MIPHA.name)

#: towers in transformers' words
TOWERS = {CLIP.name: "clip_vision_model", SIGLIP.name: "siglip_vision_model"}

#: a projector that transformers' LLaVA has
HELD_PROJECTOR = "mlp2x_gelu"

#: rotary positions as versions before 5 read them
ROPE = ("rope_theta", "rope_scaling")

#: entries of an official config.json that hold for the whole model
SHARED = ("torch_dtype", "dtype")

#: an entry of what is written, with what of the official config.json is not said otherwise
KEPT = "mipha_eval"


def refuse_unheld(source: LlavaSource) -> None:
    """Raises UserError, with the reason, for what transformers' LLaVA does not hold as the official code computes it."""
    parts, described = source.parts, source.parts.description
    reasons = {
        f"{parts.layout.name}'s layout is not among those that are written so": parts.layout.name not in HELD,
        f"{parts.language_model.name} scales what the tower gives, which transformers does not do": (
            parts.language_model.image_scale(described.decoder) != 1
        ),
        f"the projector is {described.projector!r}, {HELD_PROJECTOR} is the one that it has": (
            described.projector != HELD_PROJECTOR
        ),
        f"the tower is {parts.tower.name}, and it would read one in another way; CLIP and SigLIP are the same there": (
            parts.tower.name not in TOWERS
        ),
        "the tower's embeddings are read (mm_vision_select_layer 0), which it cannot select": parts.select_layer == 0,
        "its head (lm_head) has a bias, as Phi's has, and there is no place for one": _has_head_bias(source),
    }
    found = next((reason for reason, holds in reasons.items() if holds), None)
    if found is not None:
        raise UserError(f"{source.files.places.folder} cannot be a LLaVA of transformers: {found}")
    ends = source.ends
    obeyed = official_generation(source.files, ends).obeyed
    if obeyed:
        named = ", ".join(f"{name} {value}" for name, value in obeyed.items())
        raise UserError(
            f"{source.files.places.folder}: the generation settings {named} are in force in the official code and not in "
            "hf-chat; take them out of generation_config.json or config.json"
        )


def _has_head_bias(source: LlavaSource) -> bool:
    return any(name.endswith("lm_head.bias") for name in source.files.stored)


def native_config(source: LlavaSource, rows: int, image_token: int) -> JsonObject:
    """The whole ``config.json``.

    Args:
        rows: of the embedding, with those that are added.
        image_token: the id that stands for a piece of an image.
    """
    parts, config = source.parts, source.files.config
    layers, select = tower_layers(source)
    end = sorted(source.ends)
    return {
        "architectures": ["LlavaForConditionalGeneration"],
        "model_type": "llava",
        "image_token_index": image_token,
        "image_seq_length": parts.image_tokens,
        "vision_feature_layer": select,
        "vision_feature_select_strategy": strategy(source),
        "projector_hidden_act": "gelu",
        "multimodal_projector_bias": True,
        "tie_word_embeddings": parts.ties,
        "eos_token_id": end[0] if len(end) == 1 else end,
        **{name: config[name] for name in SHARED if config.get(name) is not None},
        "text_config": text_config(source, rows),
        "vision_config": vision_config(source, layers),
        KEPT: kept_entries(source, image_token),
    }


def kept_entries(source: LlavaSource, image_token: int) -> JsonObject:
    """By which the way back finds what was added, and what only the official layout says."""
    file = source.files.tokenizer_folder / "tokenizer_config.json"
    return {
        "vocab_size": whole_of(source.files.config, "vocab_size"),
        "image_token_added": image_token >= len(source.tokenizer),
        "tokenizer_class": read_settings(file).get("tokenizer_class") if file.is_file() else None,
        "mm_vision_tower": source.parts.description.tower_name,
        "mm_use_im_patch_token": source.parts.description.patch_token,
    }


def strategy(source: LlavaSource) -> str:
    """Which of a tower's tokens go on: all but the first, or all."""
    return "default" if source.parts.tower.class_token and not source.parts.keeps_class_token else "full"


def text_config(source: LlavaSource, rows: int) -> JsonObject:
    """The decoder's part: what the official one says of what its class in transformers knows."""
    decoder: PreTrainedConfig = source.decoder
    known = {*type(decoder)().to_dict(), *ROPE} - {"architectures", "model_type", "transformers_version", *SHARED}
    said = read_settings(source.files.places.settings)  # as it is stored: transformers writes into what it is given
    named: dict[str, object] = {
        name: value for name, value in said.items() if name in known and (value is not None or name == "sliding_window")
    }
    ties = {"tie_word_embeddings": source.parts.ties, "vocab_size": rows}
    made: JsonObject = {"model_type": decoder.model_type, **named, **ties}  # type: ignore[dict-item]
    return made


def vision_config(source: LlavaSource, layers: int) -> JsonObject:
    """The tower's part."""
    own = source.parts.tower_config
    heads: JsonObject = {"vision_use_head": _has_pooling_head(source)} if source.parts.tower is SIGLIP else {}
    fields = {field: own[field] for field in FIELDS}
    return {"model_type": TOWERS[source.parts.tower.name], **fields, "num_hidden_layers": layers, **heads}


def _has_pooling_head(source: LlavaSource) -> bool:
    return any(source.parts.layout.module_name(key).startswith(f"{TOWER}vision_model.head.") for key in source.files.stored)


def tower_layers(source: LlavaSource) -> tuple[int, int]:
    """How many layers the tower has, and which hidden state is read.

    Those above that one are kept where the checkpoint has them all; who deleted some of them is given none.
    """
    parts = source.parts
    whole = whole_of(parts.tower_config, "num_hidden_layers")
    names = [parts.layout.module_name(key) for key in source.files.stored]
    inside = [name.removeprefix(TOWER).removeprefix(parts.tower.prefix) for name in names if name.startswith(TOWER)]
    found = {int(layer[1]) for name in inside if (layer := re.match(parts.tower.layers, name))}
    if found >= set(range(whole)):
        return whole, parts.description.select_layer
    return parts.select_layer, -1


def generation_config(source: LlavaSource) -> JsonObject:
    """The official generation settings, ended by what ends an answer in the official code."""
    file = source.files.tokenizer_folder / "generation_config.json"
    end = sorted(source.ends)
    said = {name: value for name, value in (read_settings(file) if file.is_file() else {}).items() if name[0] != "_"}
    return {**said, "eos_token_id": end[0] if len(end) == 1 else end}
