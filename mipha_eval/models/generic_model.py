"""A model that transformers has, in a folder: looked at by the headers of its files, then loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForImageTextToText, GenerationConfig, initialization
from transformers.distributed.configuration_utils import DistributedConfig

from mipha_eval.core.errors import UserError
from mipha_eval.models.activation import replace_activations
from mipha_eval.models.auto_model import AutoModel, LoadingInfo
from mipha_eval.models.error_line import reason
from mipha_eval.models.generator import generates_itself
from mipha_eval.models.image_text import leave_out_dead_layers, take_over
from mipha_eval.models.no_chat import refuse_no_chat
from mipha_eval.models.settings import read_settings
from mipha_eval.models.stage_bar import weights_read
from mipha_eval.models.transformers_messages import keep_off_terminal
from mipha_eval.models.weights import Stored, check_index, read_headers, weight_files
from mipha_eval.models.weights_check import check_depth, check_fit, refuse_foreign, refuse_misfits

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

    from mipha_eval.models.generating_model import GeneratingModel

#: precisions in safetensors' words
STORED_AS = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}


@dataclass(frozen=True)
class GenericModel:
    """What is known of a model before its weights are read.

    Attributes:
        auto: the class of transformers that loads it.
        config: without layers that no answer depends on.
        stored: headers of its weights.
        trimmed: whether layers were left out.
        quantized: whether ``config.json`` says that weights are stored in another form.
        pickled: whether ``.bin`` files may be read.
    """

    folder: Path
    auto: AutoModel
    config: PreTrainedConfig
    stored: Mapping[str, Stored]
    trimmed: bool
    quantized: bool
    pickled: bool

    @classmethod
    def of(cls, folder: Path, auto: AutoModel, *, pickled: bool = False) -> GenericModel:
        """Looks at a folder. Raises UserError if transformers has no such model or the weights do not fit."""
        keep_off_terminal()
        refuse_foreign(folder)
        if auto is AutoModelForImageTextToText:
            refuse_no_chat(folder)
        settings = read_settings(folder / "config.json")
        quantized = "quantization_config" in settings
        stored = read_headers(weight_files(folder, pickled=pickled), quantized=quantized)
        check_index(folder)
        check_depth(folder / "config.json", settings, len(stored))
        try:
            config: PreTrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
            trimmed = leave_out_dead_layers(config)
            if not quantized:  # what a quantizer makes of names and shapes only its own loading knows
                check_fit(folder, auto, config, stored, trimmed=trimmed)
        except UserError:
            raise
        except Exception as error:  # whatever odd configurations lead to
            raise _unloadable(folder, auto, error) from error
        return cls(folder, auto, config, stored, trimmed, quantized, pickled)

    @property
    def generates_itself(self) -> bool:
        """Whether its class has no `generate` of its own."""
        owners = cast(Mapping[type, type[nn.Module]], self.auto._model_mapping)
        return generates_itself(owners[type(self.config)])

    @property
    def generation(self) -> GenerationConfig:
        """Its generation settings, as transformers finds them when it loads the model. Raises UserError."""
        try:
            if (self.folder / "generation_config.json").is_file():
                return GenerationConfig.from_pretrained(self.folder)
            return GenerationConfig.from_model_config(self.config)
        except Exception as error:  # whatever odd settings lead to
            raise _unloadable(self.folder, self.auto, error) from error

    def empty(self) -> GeneratingModel:
        """The model without memory for weights. Raises UserError if it cannot be built so."""
        try:
            with torch.device("meta"), initialization.meta_device_safe_creation_ops():
                build: Callable[..., GeneratingModel] = self.auto.from_config
                return build(self.config, trust_remote_code=False)
        except Exception as error:  # whatever odd configurations lead to
            raise _unloadable(self.folder, self.auto, error) from error

    def load(self, dtype: torch.dtype, parts: Mapping[str, torch.device], *, ranks: int = 1) -> GeneratingModel:
        """The model with its weights.

        Args:
            parts: the device of each part, by its name; "" is all of it.
            ranks: processes that hold a share of each layer, of which this is one.

        Raises:
            UserError: weights do not fit after all, or are not finite.
        """
        where = {"distributed_config": DistributedConfig(tp_size=ranks)} if ranks > 1 else {"device_map": dict(parts)}
        try:
            with weights_read():
                loaded: tuple[GeneratingModel, LoadingInfo] = self.auto.from_pretrained(
                    self.folder,
                    config=self.config,
                    dtype=dtype,
                    use_safetensors=None if self.pickled else True,
                    trust_remote_code=False,
                    output_loading_info=True,
                    **where,
                )
        except Exception as error:  # whatever odd configurations lead to
            raise _unloadable(self.folder, self.auto, error) from error
        model, info = loaded
        refuse_misfits(self.folder, info, trimmed=self.trimmed)
        in_memory = any(device.type == "cpu" for device in parts.values())
        mapped = in_memory and STORED_AS[dtype] in {each.dtype for each in self.stored.values()}
        take_over(self.folder, model, mapped=mapped)
        replace_activations(model)
        return model.eval().requires_grad_(False)


def _unloadable(folder: Path, auto: AutoModel, error: Exception) -> UserError:
    return UserError(f"{folder} cannot be loaded by transformers' {auto.__name__}: {reason(error)}")
