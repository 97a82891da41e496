"""Phi-3: fused projections as in transformers, a sliding window where the configuration has one."""

from __future__ import annotations

from transformers import Phi3Config

from mipha_eval.models.llava_style.language_models.language_model import LanguageModel, configuration

PHI3 = LanguageModel(name="Phi-3", configure=configuration(Phi3Config))
