"""Phi-2: as transformers has it. The official class never ties the head to the embedding, whatever config.json says."""

from __future__ import annotations

from transformers import PhiConfig

from mipha_eval.models.llava_style.language_models.language_model import LanguageModel, configuration

PHI2 = LanguageModel(name="Phi-2", configure=configuration(PhiConfig))

#: as Bunny, Imp and MoE-LLaVA have it
PHI2_WITHOUT_BIAS = LanguageModel(name="Phi-2", configure=configuration(PhiConfig), head_bias=False)
