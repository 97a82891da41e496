"""Mipha's conversation template and its tokenisation around the image, as in the official code.

Source: zhuyiche/llava-phi at 21dafbf, ``mipha/conversation.py`` (template ``v0``, also called ``phi``) and ``mm_utils.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
IMAGE_MARK = "<image>"
END_OF_TEXT = "<|endoftext|>"

#: stands for an image in a list of token ids; the number that LLaVA and Mipha use
IMAGE_TOKEN = -200


def render_prompt(text: str, images: int) -> str:
    """The prompt for a question about `images` images; without an image the question stands alone."""
    return f"{SYSTEM} USER: {(IMAGE_MARK + chr(10)) * images}{text} ASSISTANT:"


def tokenize_prompt(prompt: str, tokenize: Callable[[str], Sequence[int]]) -> list[int]:
    """Token ids of the pieces between image marks, with `IMAGE_TOKEN` where a mark stood."""
    ids: list[int] = []
    for number, piece in enumerate(prompt.split(IMAGE_MARK)):
        if number:
            ids.append(IMAGE_TOKEN)
        if piece:
            ids.extend(tokenize(piece))
    return ids
