"""Folders of architectures that cannot be asked here: settings as their authors write them, and no weights of use."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from tests.architectures.recipe import IMAGE_PROCESSORS, PROCESSORS
from tests.image_text_checkpoints import tokenizer


def settings(architecture: str, folder: Path) -> Path:
    """What a checkpoint of an architecture says of itself, by transformers' own tables, and one weight that is nobody's."""
    (folder / "config.json").write_text(json.dumps({"model_type": architecture}))
    save_file({"nothing": torch.zeros(1)}, folder / "model.safetensors", {"format": "pt"})
    images = IMAGE_PROCESSORS.get(architecture) or {}
    named = {
        "processor_class": PROCESSORS.get(architecture),
        "image_processor": {"image_processor_type": images.get("torchvision")},
    }
    (folder / "processor_config.json").write_text(json.dumps(named))
    tokenizer(image_token="<image>").save_pretrained(folder)
    return folder
