"""JSON files of a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mipha_eval.errors import UserError


def read_settings(path: Path) -> dict[str, Any]:
    """A JSON file of a checkpoint. Raises UserError if it is missing or broken."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read {path}: {error}; is {path.parent} a checkpoint folder?") from error
    if not isinstance(settings, dict):
        raise UserError(f"{path} is not a JSON object; is {path.parent} a checkpoint folder?")
    return settings
