"""Models that transformers counts among those from image and text to text, and that are not asked about a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.models.settings import read_settings

#: why, by the ``model_type`` in config.json
NO_CHAT: Mapping[str, str] = {
    "diffusion_gemma": "it writes blocks of text by diffusion, not one token after the other",
    "evolla": "it is asked about proteins",
    "instructblipvideo": "it is asked about videos",
    "kosmos-2.5": "it writes out what stands on a page",
    "mistral4": "it reads text alone",
    "pi0": "it moves robots",
    "pp_formulanet": "it reads formulas and no questions",
    "shieldgemma2": "it judges pictures by policies",
    "vision-encoder-decoder": "it reads pictures and no questions",
}


def refuse_no_chat(folder: Path) -> None:
    """Raises UserError for a checkpoint of one of them."""
    kind = str(read_settings(folder / "config.json").get("model_type"))
    if kind in NO_CHAT:
        raise UserError(f"{folder} cannot be asked about pictures: {kind} is no image-text chat model, {NO_CHAT[kind]}")
