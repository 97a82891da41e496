"""The processor of transformers' LLaVA for a checkpoint in its authors' layout, and whether it asks the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mipha_eval.core.atomic import write_json
from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import whole_of
from mipha_eval.models.chat import Chat
from mipha_eval.models.conversion.llava_source import LlavaSource
from mipha_eval.models.conversion.native_config import strategy
from mipha_eval.models.conversion.samples import QUESTIONS, TOLERANCE, sample_pictures
from mipha_eval.models.image_text import load_processor
from mipha_eval.models.llava_style.prompt import IMAGE_MARK, IMAGE_TOKEN


def write_processor(source: LlavaSource, folder: Path) -> None:
    """Writes the settings of the image processor and of what counts an image's tokens."""
    patch = whole_of(source.parts.tower_config, "patch_size")
    counts: JsonObject = {
        "image_token": IMAGE_MARK,
        "num_additional_image_tokens": int(source.parts.tower.class_token),
        "patch_size": patch,
        "processor_class": "LlavaProcessor",
        "vision_feature_select_strategy": strategy(source),
    }
    write_json(folder / "processor_config.json", counts)
    write_json(folder / "preprocessor_config.json", image_settings(source))


def image_settings(source: LlavaSource) -> JsonObject:
    """What makes pixels as the official code does: a picture padded to a square, cut, or squeezed."""
    made = source.preprocessor
    size = {"height": made.height, "width": made.width}
    cut = made.shortest is not None
    resized: JsonObject = {"shortest_edge": made.shortest} if cut else size
    return {
        "image_processor_type": "LlavaImageProcessor",
        "processor_class": "LlavaProcessor",
        "do_convert_rgb": True,
        "do_pad": made.pad,
        "do_resize": True,
        "size": resized,
        "resample": int(made.resample),
        "do_center_crop": cut,
        "crop_size": size,
        "do_rescale": True,
        "rescale_factor": made.scale,
        "do_normalize": True,
        "image_mean": list(made.mean),
        "image_std": list(made.std),
    }


def check_processor(source: LlavaSource, folder: Path, image_token: int) -> None:
    """Compares prompts and pixels of what was written with the official ones.

    Raises:
        UserError: they differ: the tokenizer does not make of a whole prompt what it makes of its pieces.
    """
    chat = Chat(load_processor(folder), image_token)
    shown = source.files.places.folder
    for question in QUESTIONS:
        for images in (1, 0, 2):
            pictures = [[Image.new("RGB", (64, 48))] * images]
            found = chat.whole([question], pictures)["input_ids"][0].tolist()
            wanted = _official_ids(source, question, images, image_token)
            if found != wanted:
                raise UserError(
                    f"{shown} cannot be a LLaVA of transformers: its tokenizer makes other tokens of the prompt with "
                    f"{question!r} and {images} images than of the prompt's pieces"
                )
    for picture in sample_pictures():
        pixels = chat.whole(["?"], [[picture]])["pixel_values"][0].numpy()
        if pixels.shape != (ours := source.preprocessor(picture)).shape or np.abs(pixels - ours).max() > TOLERANCE:
            raise UserError(
                f"{shown} cannot be a LLaVA of transformers: its image processor makes other pixels of a picture of "
                f"{picture.width} x {picture.height}"
            )


def _official_ids(source: LlavaSource, question: str, images: int, image_token: int) -> list[int]:
    """The official prompt, an image's token as often as it has pieces."""
    ids = source.ids(question, images)
    runs = [[image_token] * source.parts.image_tokens if token == IMAGE_TOKEN else [token] for token in ids]
    return [token for run in runs for token in run]
