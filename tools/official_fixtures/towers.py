"""Small vision towers, saved as the hub has them: configuration, weights and image processor."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tools.official_fixtures import recording

CLIP = "openai/clip-vit-large-patch14-336"
SIGLIP = "google/siglip-so400m-patch14-384"
WIDTH = 24


def save_clip(folder: Path, seed: int, size: int = 56, patch: int = 14) -> None:
    transformers = importlib.import_module("transformers")
    config = transformers.CLIPVisionConfig(**_widths(), image_size=size, patch_size=patch, projection_dim=16)
    _save(transformers.CLIPVisionModel(config), folder, seed)
    transformers.CLIPImageProcessor(size={"shortest_edge": size}, crop_size={"height": size, "width": size}).save_pretrained(
        folder
    )


def save_siglip(folder: Path, seed: int, size: int = 56, patch: int = 14) -> None:
    transformers = importlib.import_module("transformers")
    config = transformers.SiglipVisionConfig(**_widths(), image_size=size, patch_size=patch)
    _save(transformers.SiglipVisionModel(config), folder, seed)
    half = [0.5, 0.5, 0.5]
    sizes = {"height": size, "width": size}
    transformers.SiglipImageProcessor(size=sizes, image_mean=half, image_std=half, resample=3).save_pretrained(folder)


def _widths() -> dict[str, int]:
    return {"hidden_size": WIDTH, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4}


def _save(tower: Any, folder: Path, seed: int) -> None:
    recording.randomise(tower, seed)
    tower.half().save_pretrained(folder, safe_serialization=True)


@contextmanager
def standing_for(name: str, folder: Path) -> Iterator[Path]:
    """A working folder in which `folder` stands under a tower's hub name."""
    with TemporaryDirectory() as scratch:
        (Path(scratch) / name).parent.mkdir()
        (Path(scratch) / name).symlink_to(folder)
        with recording.working_in(Path(scratch)):
            yield Path(scratch)
