"""Mipha's conversation template and its tokenisation around the image, as in the official code.

Source: zhuyiche/llava-phi at 21dafbf, ``mipha/conversation.py`` (template ``v0``, also called ``phi``) and ``mm_utils.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mipha_eval.core.errors import RequestError

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
END_OF_TEXT = "<|endoftext|>"
IMAGE_MARK = "<image>"

#: stands for an image in a list of token ids; the number that LLaVA and Mipha use
IMAGE_TOKEN = -200


def prompt_pieces(text: str, images: int) -> list[str]:
    """The prompt for a question about `images` images, cut where the images stand.

    The official code writes ``<image>`` there and splits the prompt at it; cutting before the question is put in gives the
    same pieces. In a question that contains the mark it would look for one more picture, and fail.

    Raises:
        RequestError: the question contains the mark.
    """
    if IMAGE_MARK in text:
        raise RequestError(f"the question holds {IMAGE_MARK}, which stands for a picture in a prompt")
    opening, closing = f"{SYSTEM} USER: ", f"{text} ASSISTANT:"
    if not images:
        return [opening + closing]
    return [opening, *["\n"] * (images - 1), f"\n{closing}"]


def tokenize_prompt(pieces: Sequence[str], tokenize: Callable[[str], Sequence[int]]) -> list[int]:
    """Token ids of the pieces, each tokenized alone, with `IMAGE_TOKEN` between them."""
    ids: list[int] = []
    for number, piece in enumerate(pieces):
        if number:
            ids.append(IMAGE_TOKEN)
        ids.extend(tokenize(piece))
    return ids
