"""Llama, and what was made of it: Vicuna, TinyLlama, MobileLLaMA."""

from __future__ import annotations

from transformers import LlamaConfig

from mipha_eval.models.llava_style.language_models.language_model import LanguageModel, configuration, tied_if_said

LLAMA = LanguageModel(name="Llama", configure=configuration(LlamaConfig), ties=tied_if_said)
