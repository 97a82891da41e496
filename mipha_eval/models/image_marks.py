"""Where the pictures of a prompt stand in its text, and who says so: the text, the processor, or the order of its parts.

A processor is not told by its name. It is asked about a made-up picture, once with a mark in the text and once without; that
shows who writes the places of pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlparse

from PIL import Image as Pillow
from torch import Tensor

from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.models.error_line import reason
from mipha_eval.models.template import ANY_QUESTION

if TYPE_CHECKING:
    from transformers import ProcessorMixin

#: width and height of the picture that a processor is asked about
SIZE = (96, 64)

#: texts and pictures as arguments of a processor's call
Arguments: TypeAlias = Mapping[str, object]


@dataclass(frozen=True)
class ImageMarks:
    """How prompts about pictures are handed to a processor: a mark in the text for each picture.

    Attributes:
        mark: what stands for a picture in a text.
        token: the id that stands for pictures in a prompt's ids, if one does.
        words: marks, which no question may hold.
    """

    mark: str
    token: int | None
    words: frozenset[str]

    def arguments(self, texts: Sequence[str], pictures: Sequence[Sequence[Pillow.Image]]) -> Arguments:
        """What the processor is called with. Raises RequestError for prompts that it does not take."""
        return {"text": list(texts), "images": [list(own) for own in pictures] if any(pictures) else None}

    @property
    def written(self) -> bool:
        """Whether the text says where pictures stand."""
        return bool(self.mark)

    @property
    def alone(self) -> bool:
        """Whether prompts are handed over one by one: what pads a batch of them, not every such processor knows."""
        return False


class OwnPlaces(ImageMarks):
    """The processor, or the network, puts the one picture of a prompt where it belongs."""

    def arguments(self, texts: Sequence[str], pictures: Sequence[Sequence[Pillow.Image]]) -> Arguments:
        most = max(map(len, pictures), default=0)
        if most > 1:
            raise RequestError(f"the prompt has {most} images, and this model's processor takes one a prompt")
        if any(pictures) and not all(pictures):
            raise RequestError("prompts with an image and without cannot be encoded together")
        return {"text": list(texts), "images": [picture for own in pictures for picture in own] or None}

    @property
    def alone(self) -> bool:
        return True


class InParts(ImageMarks):
    """The processor takes a prompt in parts, texts and pictures in their order, and writes the marks itself."""

    def arguments(self, texts: Sequence[str], pictures: Sequence[Sequence[Pillow.Image]]) -> Arguments:
        return {"text": [self._parts(text, own) for text, own in zip(texts, pictures, strict=True)]}

    def _parts(self, text: str, pictures: Sequence[Pillow.Image]) -> list[str | Pillow.Image]:
        texts = text.split(self.mark)
        for part in texts:
            address = urlparse(part.strip(" ")) if " " not in part.strip(" ") else None
            if address and address.scheme and address.netloc:
                raise RequestError(f"the processor would take {part.strip()!r} for a picture's address")
        parts: list[str | Pillow.Image] = []
        for place, part in enumerate(texts):
            parts += [part] if part else []
            parts += pictures[place : place + 1]
        return parts or [""]

    @property
    def alone(self) -> bool:
        return True


def find_marks(processor: ProcessorMixin, token: int | None) -> ImageMarks:
    """Who says where pictures stand.

    Args:
        token: the id that stands for images in a prompt's ids, as the model's configuration has it.

    Raises:
        UserError: the processor cannot be asked a question about a picture.
    """
    tokenizer = processor.tokenizer
    given = getattr(processor, "image_token", None)
    if given is None:
        return _unmarked(processor, token)
    mark = str(given)
    number = tokenizer.convert_tokens_to_ids(mark) if token is None else token
    marks = ImageMarks(mark, number, frozenset({mark, str(tokenizer.convert_ids_to_tokens(number))}))
    own = OwnPlaces("", number, marks.words)
    without = _count(_asked(processor, own, ANY_QUESTION), number)
    if without and without != _count(_asked(processor, marks, mark + ANY_QUESTION), number):
        return own
    return marks


def _unmarked(processor: ProcessorMixin, token: int | None) -> ImageMarks:
    """Of a processor that knows no mark."""
    number = getattr(processor, "image_token_id", token)
    if isinstance(number, int):
        mark = str(processor.tokenizer.convert_ids_to_tokens(number))
        parts = InParts(mark, number, frozenset({mark}))
        if _count(_asked(processor, parts, mark + ANY_QUESTION), number):
            return parts
    own = OwnPlaces("", token, frozenset())
    made = _asked(processor, own, ANY_QUESTION)
    name = type(processor).__name__
    if isinstance(made, Exception):
        raise UserError(f"{name} cannot be asked a question about a picture: {reason(made)}")
    if "input_ids" not in made:
        what = ", ".join(key for key in made if key not in processor.image_processor.model_input_names) or "nothing"
        raise UserError(
            f"{name} makes {what} of a question, and no input_ids, so hf-chat cannot ask the model about pictures"
        )
    return own


def _asked(processor: ProcessorMixin, marks: ImageMarks, text: str) -> Mapping[str, object] | Exception:
    """What a processor makes of a prompt about a made-up picture, or why it does not."""
    try:
        made: Mapping[str, object] = processor(**marks.arguments([text], [[Pillow.new("RGB", SIZE)]]), return_tensors="pt")
    except Exception as error:  # whatever it leads to to be asked in a way that is not this processor's
        return error
    return made


def _count(made: Mapping[str, object] | Exception, token: int) -> int:
    """Tokens of pictures in a prompt; 0 where there is none."""
    ids = made.get("input_ids") if isinstance(made, Mapping) else None
    return int((ids == token).sum()) if isinstance(ids, Tensor) else 0
