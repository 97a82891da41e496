"""How a small random checkpoint of an architecture is made: transformers' own classes, with tiny sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from mipha_eval.models.image_text import without_videos
from tests.image_text_checkpoints import PATCH, SIDE, TEMPLATE, save, tokenizer, transformers

#: transformers' own tables, by architecture
IMAGE_PROCESSORS = transformers.models.auto.image_processing_auto.IMAGE_PROCESSOR_MAPPING_NAMES
PROCESSORS = transformers.models.auto.processing_auto.PROCESSOR_MAPPING_NAMES

#: what makes a configuration small, for whichever of these entries it has
TINY: Mapping[str, Any] = {
    **dict.fromkeys(("hidden_size", "embed_dim", "out_hidden_size", "projection_dim", "projector_hidden_size"), 32),
    **dict.fromkeys(("intermediate_size", "mlp_dim", "ffn_dim", "projection_intermediate_size"), 48),
    **dict.fromkeys(("num_hidden_layers", "depth", "layers"), 2),
    **dict.fromkeys(("num_attention_heads", "num_heads", "attention_heads", "num_query_heads"), 4),
    **dict.fromkeys(("num_key_value_heads",), 2),
    **dict.fromkeys(("head_dim",), 8),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size"), 16),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "moe_topk", "moe_k"), 2),
    **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 0),
    "max_position_embeddings": 2048,
    "image_size": SIDE,
    "patch_size": PATCH,
}

Settings = Mapping[str, Any]


def tiny(owner: Any, rows: int, own: Settings) -> dict[str, Any]:
    """Entries of a configuration of a class: small sizes, a vocabulary of so many rows, and what is given."""
    names = {*owner.__dataclass_fields__, *owner.attribute_map}
    small = {name: value for name, value in {**TINY, "vocab_size": rows}.items() if name in names}
    for name, spec in (getattr(owner, "sub_configs_defaults", None) or {}).items():
        given = own.get(name, {})
        if given is None:
            continue
        model_type = given.get("model_type") or getattr(spec, "model_type", None)
        inner = CONFIG_MAPPING[model_type] if model_type else getattr(spec, "config_class", spec)
        small[name] = {"model_type": inner.model_type, **tiny(inner, rows, given)}
    others = {name: value for name, value in own.items() if name not in small or not isinstance(value, Mapping)}
    return {**small, **others}


@dataclass(frozen=True)
class Recipe:
    """A checkpoint of an architecture, as far as it is not what `tiny` and transformers' mappings say.

    Attributes:
        architecture: its ``model_type``.
        marks: special tokens by the names under which processors look for them; their ids go where the configuration has
            an entry ``NAME_id`` or ``NAME_index``.
        image: what a chat template writes for a picture; empty where there is no chat template.
        config: entries of the configuration, sub-configurations among them.
        images: settings of the image processor.
        processor: settings of the processor.
        special: further special tokens.
        rows: of the embedding beyond the tokenizer's tokens.
        parts: of the processor beside image processor and tokenizer.
        finish: changes the random model.
        processor_class, image_class: where transformers' mappings name none.
    """

    architecture: str
    marks: Settings
    image: str = "<image>"
    config: Settings = field(default_factory=dict)
    images: Settings = field(default_factory=dict)
    processor: Settings = field(default_factory=dict)
    special: tuple[str, ...] = ()
    rows: int = 0
    parts: Callable[[], Settings] = dict
    finish: Callable[[Any], Any] = lambda model: model
    processor_class: str = ""
    image_class: str = ""

    @cached_property
    def words(self) -> Any:
        words = tokenizer(**self.marks)
        words.add_special_tokens({"additional_special_tokens": [*self.special]}, replace_extra_special_tokens=False)
        return words

    def configuration(self) -> Any:
        owner = CONFIG_MAPPING[self.architecture]
        entries = {*owner.__dataclass_fields__, *owner.attribute_map}
        ids = {
            f"{name}_{kind}": self.words.convert_tokens_to_ids(mark)
            for name, mark in self.marks.items()
            for kind in ("id", "index")
            if f"{name}_{kind}" in {*entries, *self.config}
        }
        if "vocabulary_map" in entries:
            ids["vocabulary_map"] = self.words.get_vocab()
        return owner(**{**tiny(owner, len(self.words) + self.rows, self.config), **ids})

    def made_processor(self) -> Any:
        owner = getattr(transformers, self.processor_class or PROCESSORS[self.architecture])
        if "video_processor" in owner.get_attributes():
            owner = without_videos(owner)
        image_class = self.image_class or IMAGE_PROCESSORS[self.architecture]["pil"]
        parts = {
            "image_processor": getattr(transformers, image_class)(**self.images),
            "tokenizer": self.words,
            **self.parts(),
        }
        settings = {**self.processor}
        if self.image:
            settings["chat_template"] = TEMPLATE.replace("MARK\n", self.image)
        return owner.from_args_and_dict([parts[name] for name in owner.get_attributes()], settings)

    def make(self, folder: Path) -> Path:
        """Writes it, always with the same random numbers."""
        torch.manual_seed(3)
        model = transformers.AutoModelForImageTextToText.from_config(self.configuration())
        return save(folder, self.finish(model), self.made_processor())
