"""Qwen1.5 and Qwen2, which transformers has as one architecture."""

from __future__ import annotations

from transformers import Qwen2Config

from mipha_eval.models.llava_style.language_models.language_model import LanguageModel, configuration, tied_if_said

QWEN2 = LanguageModel(name="Qwen2", configure=configuration(Qwen2Config), ties=tied_if_said)
