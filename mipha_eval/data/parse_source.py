"""A data source from what a user typed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError


def parse_source(text: str, image_dirs: Mapping[str, Path], annotations: Path | None = None) -> DataSource:
    """Reads ``--data``: ``demo``, ``hub``, ``hub:MIRROR`` or a folder."""
    if text == "demo":
        from mipha_eval.demo.files import demo_folder

        return DataSource("demo", demo_folder(), image_dirs, annotations)
    if text == "hub":
        return DataSource("hub", None, image_dirs, annotations)
    if text.startswith("hub:"):
        return DataSource("hub", _existing_folder(text[4:]), image_dirs, annotations)
    return DataSource("folder", _existing_folder(text), image_dirs, annotations)


def _existing_folder(text: str) -> Path:
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise UserError(f"{text}: no such folder; give a folder in LLaVA's eval layout, 'hub' or 'demo'", flag="--data")
    return folder.resolve()
