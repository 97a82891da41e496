"""A model of LLaVA's kind: its parts, its prompt, its weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from PIL import Image as Pillow
from torch import nn

from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Image, Request
from mipha_eval.data.rows import whole_of
from mipha_eval.models.factors import trained_parts
from mipha_eval.models.inspection.files import dtypes, file_bytes, numbers
from mipha_eval.models.inspection.inspection import Step
from mipha_eval.models.inspection.language_model import decoder_facts, end_facts, generation_facts
from mipha_eval.models.inspection.memory import MemoryNeed
from mipha_eval.models.llava_style.adapter import LlavaStyleAdapter
from mipha_eval.models.llava_style.checkpoint import empty_network
from mipha_eval.models.llava_style.fit import Fit
from mipha_eval.models.llava_style.layouts.layout import TOWER
from mipha_eval.models.llava_style.network import VisionLanguageNetwork
from mipha_eval.models.llava_style.prompt import IMAGE_MARK, IMAGE_TOKEN
from mipha_eval.models.llava_style.tokenizer import token_ids
from mipha_eval.models.loaded import Loaded

QUESTION = "What is in the picture?"
PICTURE = Image("any", "any", bytes)

#: names of a list that are shown
SHOWN = 5


@dataclass(frozen=True)
class LlavaStyleFacts:
    """What the headers and settings of a checkpoint tell; sections raise UserError where one cannot be read."""

    adapter: LlavaStyleAdapter

    def steps(self) -> Iterable[Step]:
        """The sections in the order in which a run comes to what may be wrong with them."""
        yield "checkpoint", self._checkpoint
        yield "language_model", self._language_model
        yield "tower", self._tower
        yield "projector", self._projector
        yield "picture", self._picture
        yield "weights", self._weights
        yield "", self._fits
        yield "prompt", self._prompt
        yield "generation", lambda: generation_facts(self._loaded.generation)
        yield "memory", self._memory

    @cached_property
    def _network(self) -> VisionLanguageNetwork:
        return empty_network(self.adapter.files, self.adapter.parts)

    @cached_property
    def _fit(self) -> Fit:
        return Fit.of(self.adapter.files, self.adapter.parts, self._network)

    @cached_property
    def _loaded(self) -> Loaded:
        """With a network that the weights may not fit."""
        return self.adapter.with_network(empty_network(self.adapter.files, self.adapter.parts))

    def _checkpoint(self) -> JsonObject:
        files = self.adapter.files
        adapter = files.adapter.settings if files.adapter else None
        return {
            "layout": files.layout.name,
            "model_type": files.config.get("model_type"),
            "official_code": files.layout.source,
            "base": str(files.places.base) if files.places.base else None,
            "trained": trained_parts(files.config, adapter) or None,
        }

    def _language_model(self) -> JsonObject:
        return {"name": self.adapter.parts.language_model.name, **decoder_facts(self._network.decoder.config)}

    def _tower(self) -> JsonObject:
        parts, files = self.adapter.parts, self.adapter.files
        beside = any(stored.file.parent == files.tower_folder for stored in files.stored.values())
        config = parts.tower_config
        return {
            "name": parts.tower.name,
            "made_from": parts.description.tower_name or None,
            "weights_from": str(files.tower_folder if beside else files.places.base or files.places.folder),
            "layers": whole_of(config, "num_hidden_layers"),
            "layers_run": parts.select_layer,
            "width": whole_of(config, "hidden_size"),
            "image_size": whole_of(config, "image_size"),
            "patch_size": whole_of(config, "patch_size"),
            "class_token": "kept" if parts.keeps_class_token else "left out" if parts.tower.class_token else None,
            "scales": list(parts.description.scales) or None,
        }

    def _projector(self) -> JsonObject:
        parts = self.adapter.parts
        return {
            "name": parts.description.projector,
            "from_width": parts.tower_width,
            "to_width": self._network.decoder.config.hidden_size,
        }

    def _picture(self) -> JsonObject:
        made, parts = self.adapter.preprocessor, self.adapter.parts
        colour = [int(value * 255) for value in made.mean]
        shape = f"padded to a square of the colour {colour}" if made.pad else "not padded"
        how = "squeezed" if made.shortest is None else f"shortest edge to {made.shortest}, the middle cut out"
        return {
            "aspect": parts.description.aspect,
            "shape": shape,
            "resized": how,
            "width": made.width,
            "height": made.height,
            "resample": Pillow.Resampling(made.resample).name.lower(),
            "mean": list(made.mean),
            "std": list(made.std),
            "tokens": parts.image_tokens,
        }

    def _weights(self) -> JsonObject:
        files, network, fit = self.adapter.files, self._network, self._fit
        dead = {key: stored for key, stored in files.stored.items() if self.adapter.parts.is_dead(key)}
        in_tower = [stored for key, stored in dead.items() if files.layout.module_name(key).startswith(TOWER)]
        return {
            "files": len({stored.file for stored in files.stored.values()}),
            "bytes": file_bytes(stored.file for stored in files.stored.values()),
            "stored_as": dtypes(files.stored),
            "parameters": {
                "tower": _parameters(network.vision_tower),
                "projector": _parameters(network.mm_projector),
                "language_model": _parameters(network.decoder),
                "total": _parameters(network),
            },
            "left_out": {"tower": numbers(in_tower), "others": numbers(dead.values()) - numbers(in_tower)},
            "missing": _listed(fit.missing),
            "left_over": _listed([*(stored.key for stored in fit.foreign), *fit.unexpected]),
            "other_shape": _listed([f"{each.key} {list(each.found)} for {list(each.wanted)}" for each in fit.misshapen]),
        }

    def _fits(self) -> JsonObject:
        self._fit.refuse_misfit()
        return {}

    def _prompt(self) -> JsonObject:
        pieces = self.adapter.pieces(Request(QUESTION, (PICTURE,)))
        ids, picture = token_ids(pieces, self._loaded.tokenizer), self.adapter.parts.image_tokens
        return {
            "template": self.adapter.template_name,
            "text": IMAGE_MARK.join(pieces),
            "text_tokens": len(ids) - ids.count(IMAGE_TOKEN),
            "tokens": len(ids) + (picture - 1) * ids.count(IMAGE_TOKEN),
            **end_facts(self._loaded),
        }

    def _memory(self) -> JsonObject:
        device, dtype = self.adapter.place
        tokens = self._prompt()["tokens"]
        weights = _parameters(self._network) * dtype.itemsize
        return MemoryNeed(weights, self._network.decoder.config, whole_of({"tokens": tokens}, "tokens")).facts(device, dtype)


def _parameters(module: nn.Module) -> int:
    """Numbers in the weights of a module, a weight that stands in two places counted once."""
    return sum(weight.numel() for weight in module.parameters())


def _listed(names: Iterable[str]) -> JsonObject | None:
    """How many, and the first of them; None for none."""
    known = list(names)
    return {"count": len(known), "first": known[:SHOWN]} if known else None
