"""LoRA adapters that were not merged yet, merged weight by weight as they are read, by peft."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.settings import read_settings
from mipha_eval.models.weight_reader import WeightReader, is_finite, read_weights
from mipha_eval.models.weights import Stored

if TYPE_CHECKING:
    from peft import LoraConfig

#: what peft puts before the names of a model's weights, and behind those of modules that are stored whole
OWNER, WHOLE = "base_model.model.", re.compile(r"\.modules_to_save(\.default)?(?=\.)")

#: a part of an adapter: the module that it changes, and which of its weights it is
PART = re.compile(r"(?P<module>.+)\.(?P<part>lora_\w+)(?:\.default)?(?:\.weight)?$")


@dataclass(frozen=True)
class LoraAdapter:
    """An adapter beside a base model.

    Attributes:
        folder: with ``adapter_config.json``.
        stored: headers of its weights by the names that peft gave them.
    """

    folder: Path
    stored: Mapping[str, Stored]

    @classmethod
    def of(cls, folder: Path, stored: Mapping[str, Stored]) -> LoraAdapter:
        """Raises UserError if it is no LoRA, or peft is not installed."""
        kind = read_settings(folder / "adapter_config.json").get("peft_type")
        if kind != "LORA":
            raise UserError(f"{folder / 'adapter_config.json'}: peft_type {kind!r} is not supported, LORA is")
        if not find_spec("peft"):
            raise UserError(f"{folder} is an adapter (LoRA), which peft merges; install mipha-eval[lora]")
        return cls(folder, stored)

    @property
    def settings(self) -> JsonObject:
        """Its ``adapter_config.json``."""
        return read_settings(self.folder / "adapter_config.json")

    @property
    def whole(self) -> dict[str, Stored]:
        """Weights that replace the base model's, by the base model's names."""
        return {WHOLE.sub("", _base_name(name)): stored for name, stored in self.stored.items() if not PART.match(name)}

    @cached_property
    def _parts(self) -> dict[str, dict[str, Stored]]:
        """By module, the weights of the adapter by their names in it."""
        found: dict[str, dict[str, Stored]] = {}
        for name, stored in self.stored.items():
            if part := PART.match(name):
                found.setdefault(_base_name(part["module"]), {})[_base_name(name)] = stored
        return found

    @cached_property
    def _reader(self) -> WeightReader:
        """Has the adapter's file open for all modules."""
        return WeightReader()

    def changes(self, key: str) -> bool:
        """Whether a weight of the base model is another with the adapter."""
        return key.removesuffix(".weight") in self._parts

    def check_base(self, keys: Iterable[str]) -> None:
        """Raises UserError where the base model lacks a weight that the adapter changes."""
        missing = sorted(self._parts.keys() - {key.removesuffix(".weight") for key in keys})
        if missing:
            raise UserError(
                f"{self.folder} changes {missing[0]}, which the base model does not have; is base= the right one?"
            )

    def merged(self, key: str, weight: Tensor) -> Tensor:
        """A base model's weight with what the adapter adds to it. Raises UserError if they do not fit."""
        from peft import inject_adapter_in_model, set_peft_model_state_dict

        name = key.removesuffix(".weight")
        own = dict(read_weights(self._parts[name].values(), self._reader))
        state = {part: own[stored].to(weight.dtype) for part, stored in self._parts[name].items()}
        try:
            model = _alone(name, weight, embedding=any("lora_embedding" in part for part in state))
            inject_adapter_in_model(self._configured(name), model)
            set_peft_model_state_dict(model, state)
            layer: Any = model.get_submodule(name)
            layer.merge()  # into the memory of the weight
            merged: Tensor = layer.get_base_layer().weight.detach()
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"{self.folder}: the adapter does not fit {key} {list(weight.shape)}: {reason}") from error
        if not is_finite(merged):
            raise UserError(f"{self.folder}: {key} with the adapter has NaN or infinite values; the adapter is broken")
        return merged

    def _configured(self, module: str) -> LoraConfig:
        """Its settings, for one module alone."""
        from peft import LoraConfig

        config: LoraConfig = LoraConfig.from_pretrained(str(self.folder))
        return dataclasses.replace(
            config,
            target_modules=[module],
            exclude_modules=None,
            layers_to_transform=None,
            layers_pattern=None,
            modules_to_save=None,
            init_lora_weights=True,
            inference_mode=True,
        )


def _base_name(name: str) -> str:
    return name.removeprefix(OWNER)


def _alone(name: str, weight: Tensor, *, embedding: bool) -> nn.Module:
    """A model that has nothing but this module."""
    rows, columns = weight.shape
    module: nn.Module
    if embedding:
        module = nn.Embedding(rows, columns, _weight=weight)
    else:
        module = nn.Linear(columns, rows, bias=False, device="meta")
        module.weight = nn.Parameter(weight, requires_grad=False)
    for part in reversed(name.split(".")):
        owner = nn.Module()
        owner.add_module(part, module)
        module = owner
    return module
