"""A LLaVA of transformers, as far as it has to be known to be written in its authors' layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import object_of
from mipha_eval.models.chat import Chat
from mipha_eval.models.conversion.native_config import KEPT, TOWERS
from mipha_eval.models.conversion.native_names import network_name
from mipha_eval.models.error_line import reason
from mipha_eval.models.image_text import load_processor
from mipha_eval.models.llava_style.layouts.flat import MARK
from mipha_eval.models.llava_style.layouts.layout import DECODER, HEAD, PROJECTOR, TOWER
from mipha_eval.models.llava_style.towers.clip import CLIP
from mipha_eval.models.llava_style.towers.siglip import SIGLIP
from mipha_eval.models.llava_style.towers.tower import Tower
from mipha_eval.models.settings import check_settings, read_settings
from mipha_eval.models.weights import Stored, read_headers, weight_files

if TYPE_CHECKING:
    from transformers import LlavaConfig, PreTrainedConfig

#: language models in transformers' words -> model type and class in LLaVA's own layout
KINDS = {
    "llama": ("llava_llama", "LlavaLlamaForCausalLM"),
    "mistral": ("llava_mistral", "LlavaMistralForCausalLM"),
    "qwen2": ("llava_qwen", "LlavaQwenForCausalLM"),
}


@dataclass(frozen=True)
class NativeSource:
    """A checkpoint that transformers loads.

    Attributes:
        stored: headers of its weights by the names of the network here.
    """

    folder: Path
    config: LlavaConfig
    stored: Mapping[str, Stored]

    @classmethod
    def of(cls, folder: Path) -> NativeSource:
        """Looks at it without reading its weights. Raises UserError for what LLaVA's own layout does not hold."""
        check_settings(folder)
        said = read_settings(folder / "config.json")
        if MARK in said:
            raise UserError(f"{folder} is in LLaVA's own layout already")
        if said.get("model_type") != "llava" or "quantization_config" in said:
            kind = "a quantized model" if "quantization_config" in said else f"of model_type {said.get('model_type')!r}"
            raise UserError(f"{folder} is {kind}; what LLaVA's own layout is made of is a LLaVA of transformers ('llava')")
        found = cls(folder, _config(folder), read_headers(weight_files(folder, pickled=True)))
        found.refuse_unheld()
        names = {network_name(key): stored for key, stored in found.stored.items()}
        odd = next((key for key in found.stored if not network_name(key)), None)
        if odd is not None:
            raise UserError(f"{folder} holds {odd}, which is no weight of a LLaVA of transformers")
        return cls(folder, found.config, names)

    def refuse_unheld(self) -> None:
        """Raises UserError, with the reason, for what LLaVA's own layout does not hold as transformers computes it."""
        config = self.config
        text, vision = self.text.model_type, self.vision.model_type
        cuts_first = config.vision_feature_select_strategy == "default" and vision == TOWERS[SIGLIP.name]
        reasons = {
            f"its language model is {text}; there are {', '.join(KINDS)}": text not in KINDS,
            f"its tower is {vision}; there are {', '.join(TOWERS.values())}": vision not in TOWERS.values(),
            "it reads several of the tower's layers": not isinstance(config.vision_feature_layer, int),
            f"its projector has the activation {config.projector_hidden_act}": config.projector_hidden_act != "gelu",
            "its projector has no bias": not config.multimodal_projector_bias,
            "it leaves out SigLIP's first patch (vision_feature_select_strategy default)": cuts_first,
        }
        found = next((words for words, holds in reasons.items() if holds), None)
        if found is not None:
            raise UserError(f"{self.folder} cannot be written in LLaVA's own layout: {found}")

    @property
    def kept(self) -> JsonObject:
        """What was noted when it was made of an official checkpoint; empty for others."""
        said = read_settings(self.folder / "config.json")
        return object_of(said, KEPT) if isinstance(said.get(KEPT), dict) else {}

    @property
    def text(self) -> PreTrainedConfig:
        """The decoder's configuration."""
        return cast("PreTrainedConfig", self.config.text_config)

    @property
    def vision(self) -> PreTrainedConfig:
        """The tower's configuration."""
        return cast("PreTrainedConfig", self.config.vision_config)

    @property
    def tower(self) -> Tower:
        """The tower's family."""
        return CLIP if self.vision.model_type == TOWERS[CLIP.name] else SIGLIP

    @cached_property
    def chat(self) -> Chat:
        """Its processor."""
        return Chat(load_processor(self.folder), self.config.image_token_index)

    def official_name(self, name: str) -> str:
        """The official name of a weight of the network; of a tower's weight, its name in the tower's own folder."""
        if name.startswith(TOWER):
            return self.tower.prefix + name[len(TOWER) :]
        places = {PROJECTOR: "model.mm_projector.", DECODER: "model.", HEAD: "lm_head."}
        return next(own + name[len(place) :] for place, own in places.items() if name.startswith(place))


def _config(folder: Path) -> LlavaConfig:
    from transformers import LlavaConfig

    try:
        return LlavaConfig.from_pretrained(folder)
    except Exception as error:  # whatever odd configurations lead to
        raise UserError(f"{folder / 'config.json'} does not describe a LLaVA of transformers: {reason(error)}") from error
