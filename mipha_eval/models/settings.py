"""JSON files of a checkpoint."""

from __future__ import annotations

from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_object
from mipha_eval.core.json_value import Json

#: files that some part of transformers takes for missing where it cannot read them
JSON_FILES = (
    *("config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json"),
    *("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.json"),
)


def check_settings(folder: Path) -> None:
    """Raises UserError for a JSON file of a checkpoint that is there and broken."""
    for name in JSON_FILES:
        if (folder / name).exists():
            read_settings(folder / name)


def read_settings(path: Path) -> dict[str, Json]:
    """A JSON file of a checkpoint. Raises UserError if it is missing or broken."""
    if not path.exists():
        raise UserError(f"{path.parent} has no {path.name}; is it a checkpoint folder?")
    return read_object(path, "copy or download it again")
