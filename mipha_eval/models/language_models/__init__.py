"""Language models of Miphas, a file a kind. Another one is one more file and one more name here."""

from __future__ import annotations

from collections.abc import Collection

from mipha_eval.core.errors import UserError
from mipha_eval.models.language_models.gemma import GEMMA
from mipha_eval.models.language_models.language_model import LanguageModel
from mipha_eval.models.language_models.phi2 import PHI2
from mipha_eval.models.language_models.phi3 import PHI3
from mipha_eval.models.language_models.phi15 import PHI15

#: those with a mark before others of their model type
LANGUAGE_MODELS = (PHI15, PHI2, GEMMA, PHI3)

MODEL_TYPES = tuple(dict.fromkeys(each.model_type for each in LANGUAGE_MODELS))


def language_model_of(model_type: object, weights: Collection[str] = ()) -> LanguageModel:
    """The kind with this model type whose mark is in a weight's name. Raises UserError if there is none."""
    alike = [each for each in LANGUAGE_MODELS if each.model_type == model_type]
    fitting = [each for each in alike if any(each.mark in weight for weight in weights) or not each.mark]
    if not fitting:
        raise UserError(f"it has model_type {model_type!r}; the mipha adapter loads {', '.join(MODEL_TYPES)}")
    return fitting[0]
