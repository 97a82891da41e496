"""The processor of transformers' LLaVA for a checkpoint in its authors' layout, and whether it asks the same."""

from __future__ import annotations

from pathlib import Path

from mipha_eval.core.atomic import write_json
from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.rows import whole_of
from mipha_eval.models.chat import Chat
from mipha_eval.models.conversion.comparison import other_pixels, other_prompt
from mipha_eval.models.conversion.llava_source import LlavaSource
from mipha_eval.models.conversion.native_config import strategy
from mipha_eval.models.image_text import load_processor
from mipha_eval.models.llava_style.prompt import IMAGE_MARK


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
    chat, shown = Chat(load_processor(folder), image_token), source.files.places.folder
    other = other_prompt(chat, source, image_token)
    if other:
        raise UserError(
            f"{shown} cannot be a LLaVA of transformers: its tokenizer makes other tokens of {other} than of its pieces"
        )
    other = other_pixels(chat, source.preprocessor)
    if other:
        raise UserError(f"{shown} cannot be a LLaVA of transformers: its image processor makes other pixels of {other}")
