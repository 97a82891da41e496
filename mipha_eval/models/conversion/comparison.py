"""Whether a processor of transformers asks what the official code asks: the same tokens, the same pixels."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mipha_eval.models.chat import Chat
from mipha_eval.models.conversion.llava_source import LlavaSource
from mipha_eval.models.conversion.samples import QUESTIONS, TOLERANCE, sample_pictures
from mipha_eval.models.llava_style.pixels import Preprocessor
from mipha_eval.models.llava_style.prompt import IMAGE_TOKEN

#: how many pictures a question is about, the usual case first
IMAGES = (1, 0, 2)


def other_prompt(chat: Chat, source: LlavaSource, image_token: int) -> str:
    """The first question whose prompt has other tokens, in words; "" where there is none."""
    for question in QUESTIONS:
        for images in IMAGES:
            pictures = [[Image.new("RGB", (64, 48))] * images]
            found = chat.whole([question], pictures)["input_ids"][0].tolist()
            if found != _official_ids(source, question, images, image_token):
                return f"the prompt with {question!r} and {images} images"
    return ""


def _official_ids(source: LlavaSource, question: str, images: int, image_token: int) -> list[int]:
    """The official prompt, an image's token as often as it has pieces."""
    ids = source.ids(question, images)
    runs = [[image_token] * source.parts.image_tokens if token == IMAGE_TOKEN else [token] for token in ids]
    return [token for run in runs for token in run]


def other_pixels(chat: Chat, preprocessor: Preprocessor) -> str:
    """The first picture that comes out otherwise, in words; "" where there is none."""
    for picture in sample_pictures():
        theirs = chat.whole(["?"], [[picture]])["pixel_values"][0].numpy()
        ours = preprocessor(picture)
        if theirs.shape != ours.shape or np.abs(theirs - ours).max() > TOLERANCE:
            return f"a picture of {picture.width} x {picture.height}"
    return ""
