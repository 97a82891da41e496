"""A small random checkpoint of each architecture that has one, by the name that transformers gives the architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests import further_checkpoints, image_text_checkpoints
from tests.architectures import glm, llava_like, of_their_own, qwen_like

#: those that other tests use, too
OLDER = {**image_text_checkpoints.BUILDERS, **further_checkpoints.FURTHER}

MAKERS: Mapping[str, Callable[[Path], Path]] = {
    **{name.replace("-", "_").replace(".", "_"): maker for name, maker in OLDER.items() if name != "idefics2-split"},
    **{
        recipe.architecture: recipe.make
        for module in (llava_like, qwen_like, glm, of_their_own)
        for recipe in module.RECIPES
    },
}
