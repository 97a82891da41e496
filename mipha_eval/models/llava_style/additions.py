"""What was trained on a base model and saved without it: a LoRA adapter, or a projector alone.

Source: zhuyiche/llava-phi at 21dafbf, ``llava_phi/model/builder.py``, and haotian-liu/LLaVA at c121f04,
``llava/model/builder.py``, which put the same parts together by folders' names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.models.llava_style.lora import LoraAdapter
from mipha_eval.models.weights import Stored, has_weights, read_headers

#: names of files without their endings
ADAPTER, OTHERS, PROJECTOR = "adapter_model", "non_lora_trainables", "mm_projector"


@dataclass(frozen=True)
class Additions:
    """What a folder holds beside its base model.

    Attributes:
        name: what it is, in words.
        files: those that hold its weights.
        stored: headers of weights that replace the base model's, by the base model's names.
        adapter: what is added to weights of the base model.
    """

    name: str
    files: tuple[Path, ...]
    stored: Mapping[str, Stored] = field(default_factory=dict)
    adapter: LoraAdapter | None = None

    @classmethod
    def of(cls, folder: Path, *, pickled: bool) -> Additions | None:
        """None for a whole model. Raises UserError for files that are missing, or may not be read."""
        if has_weights(folder, pickled=pickled):
            return None
        if (folder / "adapter_config.json").is_file():
            file, others = _file(folder, ADAPTER, pickled=pickled), _file(folder, OTHERS, pickled=pickled)
            if file is None:
                raise UserError(f"{folder} has adapter_config.json, but no {ADAPTER}.safetensors (nor .bin)")
            adapter = LoraAdapter.of(folder, read_headers([file]))
            trained = _replacing(read_headers([others])) if others else {}
            return cls("a LoRA adapter", (file, *([others] if others else [])), adapter.whole | trained, adapter)
        projector = _file(folder, PROJECTOR, pickled=pickled)
        return cls("a projector alone", (projector,), _replacing(read_headers([projector]))) if projector else None


def _file(folder: Path, name: str, *, pickled: bool) -> Path | None:
    """A file of weights. Raises UserError if there is one that may not be read."""
    if (folder / f"{name}.safetensors").is_file():
        return folder / f"{name}.safetensors"
    file = folder / f"{name}.bin"
    if not file.is_file():
        return None
    if not pickled:
        raise UserError(
            f"{file} is a pickle, which may be a program; mipha-eval convert {folder} -o OUT makes safetensors of it and "
            "reads nothing but data, or read it so now",
            flag="--allow-bin",
        )
    return file


def _replacing(stored: Mapping[str, Stored]) -> dict[str, Stored]:
    """By the base model's names; frozen layers under an adapter, which are the base model's, are left out."""
    names = {name: name.removeprefix("base_model.") for name in stored if ".base_layer." not in name}
    wrapped = any(name.startswith("model.model.") for name in names.values())
    return {(new.removeprefix("model.") if wrapped else new): stored[name] for name, new in names.items()}
