"""Layouts of checkpoints, a file a project. Another one is one more file and one more name here."""

from __future__ import annotations

from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.llava_style.layouts.bunny import BUNNY
from mipha_eval.models.llava_style.layouts.imp import IMP, IMP_FIRST
from mipha_eval.models.llava_style.layouts.layout import Layout
from mipha_eval.models.llava_style.layouts.llava import LLAVA
from mipha_eval.models.llava_style.layouts.llava_next import LLAVA_NEXT
from mipha_eval.models.llava_style.layouts.mipha import LLAVA_PHI, MIPHA
from mipha_eval.models.llava_style.layouts.mobilevlm import MOBILEVLM
from mipha_eval.models.llava_style.layouts.moe_llava import MOE_LLAVA
from mipha_eval.models.llava_style.layouts.tinyllava import TINYLLAVA

#: in the order in which they are tried
LAYOUTS: tuple[Layout, ...] = (MIPHA, LLAVA_PHI, LLAVA, LLAVA_NEXT, BUNNY, MOBILEVLM, MOE_LLAVA, TINYLLAVA, IMP, IMP_FIRST)

#: model types that are not read, and why
REFUSED = {
    "llava_mpt": "MPT is not among the language models",
    "llava_gemma": "Gemma in LLaVA's layout is not among the language models; in Mipha's it is",
    "llava_mixtral": "experts are not supported",
    "llava_stablelm": "its tokenizer is in no library",
    "bunny-stablelm": "its tokenizer is in no library",
    "llava_minicpm": "MiniCPM is not among the language models",
    "bunny-minicpm": "MiniCPM is not among the language models",
    "llava_next": "it is transformers' own, which hf-chat runs",
    "llava_onevision": "it is transformers' own, which hf-chat runs",
}


def layout_of(folder: Path, config: JsonObject, model: str) -> Layout:
    """The layout of a checkpoint that a model runs.

    Raises:
        UserError: it is none, or another model's.
    """
    kind = config.get("model_type")
    alike = [each for each in LAYOUTS if kind in each.model_types]
    layout = next((each for each in alike if each.fits(config)), None)
    if layout is None:
        supported = ", ".join(name for each in LAYOUTS if each.model == model for name in each.model_types)
        reason = REFUSED.get(str(kind), f"the {model} adapter loads {supported}")
        if str(kind).startswith("moe_llava"):
            reason = "experts are not supported; dense checkpoints of MoE-LLaVA are"
        if alike and "text_config" in config:
            reason = "it is in transformers' own layout, which hf-chat runs"
        raise UserError(f"{folder} has model_type {kind!r}; {reason}")
    if layout.model != model:
        raise UserError(
            f"{folder} has model_type {kind!r}: it is a {layout.name} checkpoint, which the model {layout.model} runs",
            flag=f"--model {layout.model}",
        )
    return layout
