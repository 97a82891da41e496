"""Phi-3: fused projections as in transformers, a sliding window where the configuration has one.

The official code stretches rotations over long contexts in two ways, ``su`` and ``yarn``, which differ in nothing but by how
much they are scaled; transformers has one of them, under another name, and takes the scale where it is said.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from transformers import Phi3Config

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import object_of, text_of, whole_of
from mipha_eval.models.llava_style.language_models.language_model import LanguageModel, configuration

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

#: of transformers' class, where config.json does not say it
POSITIONS = 4096


def configure(config: JsonObject) -> PreTrainedConfig:
    """As `LanguageModel.configure`."""
    if not config.get("rope_scaling"):
        return configuration(Phi3Config)(config)
    scaling = object_of(config, "rope_scaling")
    kind = text_of({"type": scaling.get("rope_type"), **scaling}, "type")
    known: JsonObject = {"max_position_embeddings": POSITIONS, "original_max_position_embeddings": POSITIONS, **config}
    original = whole_of(known, "original_max_position_embeddings")
    stretched = math.log(max(1.0, whole_of(known, "max_position_embeddings") / original))
    scales = {"su": math.sqrt(1 + stretched / math.log(original)), "yarn": 0.1 * stretched + 1}
    scales["longrope"] = scales["su"]
    if kind not in scales:
        raise UserError(f"rope_scaling {kind!r} is not supported; supported: {', '.join(scales)}")
    factors = {name: scaling.get(name) for name in ("short_factor", "long_factor")}
    made: JsonObject = {"rope_type": "longrope", "attention_factor": scales[kind], **factors}
    return configuration(Phi3Config)({**config, "rope_scaling": made})


PHI3 = LanguageModel(name="Phi-3", configure=configure)
