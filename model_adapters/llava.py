"""LLaVA and its relatives, from the checkpoints that their own code saves; transformers' copies of them run as hf-chat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.models.llava_style.adapter import LlavaStyleAdapter


@dataclass(frozen=True, kw_only=True)
class Llava(LlavaStyleAdapter):
    """LLaVA-1.5 and LLaVA-Phi in their authors' layouts, such as liuhaotian/llava-v1.5-7b."""

    name: ClassVar[str] = "llava"
