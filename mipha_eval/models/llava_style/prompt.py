"""Prompts around images, and their tokenisation, as in the official code.

Source: zhuyiche/llava-phi at 21dafbf, ``mipha/mm_utils.py``, and haotian-liu/LLaVA at c121f04, ``llava/mm_utils.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mipha_eval.core.errors import RequestError
from mipha_eval.models.llava_style.templates import Template

IMAGE_MARK = "<image>"

#: what stands around an image where a checkpoint has mm_use_im_start_end, and what one with mm_use_im_patch_token knows
IMAGE_START, IMAGE_END, IMAGE_PATCH = "<im_start>", "<im_end>", "<im_patch>"

#: stands for an image in a list of token ids; the number that LLaVA and Mipha use
IMAGE_TOKEN = -200


def prompt_pieces(text: str, images: int, template: Template, *, marks: bool = False) -> list[str]:
    """The prompt for a question about `images` images, cut where the images stand.

    The official code writes ``<image>`` there and splits the prompt at it; cutting before the question is put in gives the
    same pieces. In a question that contains the mark it would look for one more picture, and fail.

    Args:
        marks: whether an image stands between `IMAGE_START` and `IMAGE_END`.

    Raises:
        RequestError: the question contains the mark.
    """
    if IMAGE_MARK in text:
        raise RequestError(f"the question holds {IMAGE_MARK}, which stands for a picture in a prompt")
    opening, closing = template.opening, f"{text}{template.closing}"
    if not images:
        return [opening + closing]
    before, behind = (IMAGE_START, f"{IMAGE_END}{template.between}") if marks else ("", template.between)
    return [opening + before, *[behind + before] * (images - 1), behind + closing]


def tokenize_prompt(pieces: Sequence[str], tokenize: Callable[[str], Sequence[int]], begin: int | None = None) -> list[int]:
    """Token ids of the pieces, each tokenized alone, with `IMAGE_TOKEN` between them.

    Args:
        begin: the tokenizer's BOS. Where the first piece is given one, all are; only the first is kept.
    """
    ids: list[int] = []
    for number, piece in enumerate(pieces):
        own = list(tokenize(piece))
        if number:
            ids.append(IMAGE_TOKEN)
            own = own[1:] if begin is not None and ids[0] == begin else own
        ids.extend(own)
    return ids
