"""Puts into a wheel what lies beside the package in a checkout. An editable install finds it there."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Inside(BuildHookInterface[Any]):
    """Reads ``inside`` from pyproject.toml: a folder of the checkout -> its place in the package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            build_data["force_include"] |= {folder: f"mipha_eval/{place}" for folder, place in self.config["inside"].items()}
