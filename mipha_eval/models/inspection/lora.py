"""What an adapter (LoRA) says of itself."""

from __future__ import annotations

import re
from pathlib import Path

from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.settings import read_settings

#: what is told of it, by the names in ``adapter_config.json``
TOLD = {
    "kind": "peft_type",
    "rank": "r",
    "alpha": "lora_alpha",
    "bias": "bias",
    "scaled_by_root_of_rank": "use_rslora",
    "decomposed": "use_dora",
    "other_ranks": "rank_pattern",
    "other_alphas": "alpha_pattern",
    "whole_modules": "modules_to_save",
    "trained_on": "base_model_name_or_path",
}


def lora_facts(folder: Path) -> JsonObject:
    """Rank, alpha, and which modules it changes; nothing where there is none. Raises UserError for a broken file."""
    if not (folder / "adapter_config.json").is_file():
        return {}
    settings = read_settings(folder / "adapter_config.json")
    targets = settings.get("target_modules")
    named = [str(each) for each in targets] if isinstance(targets, list) else [str(targets)]
    kinds = sorted({re.sub(r"^.*\.(?=\D)", "", name) for name in named})
    found = {name: settings.get(key) for name, key in TOLD.items()}
    return {**{name: value for name, value in found.items() if value not in (None, False, {}, [])}, "targets": kinds}
