"""Mipha: a vision tower, a projector and a small language model, from the official checkpoint format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.models.llava_style.adapter import LlavaStyleAdapter


@dataclass(frozen=True, kw_only=True)
class Mipha(LlavaStyleAdapter):
    """Every checkpoint of the Mipha paper's design space, such as zhumj34/Mipha-3B."""

    name: ClassVar[str] = "mipha"
