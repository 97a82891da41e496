"""Texts that an answer may begin with, as token ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mipha_eval.core.errors import RequestError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def text_tokens(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[int, ...]:
    """The ids of a text by itself. Raises RequestError."""
    try:
        return tuple(tokenizer(text, add_special_tokens=False).input_ids)
    except TypeError as error:  # how a tokenizer takes a lone surrogate
        raise RequestError(f"{text!r} cannot be tokenized: {error}") from error


def answer_tokens(tokenizer: PreTrainedTokenizerBase, answer: str, prompt_end: str = "") -> tuple[int, ...]:
    """The ids of an answer behind the end of a prompt, since what a tokenizer makes of a text depends on what is before.

    Args:
        prompt_end: empty where an answer begins a text.

    Raises:
        RequestError: it has none.
    """
    lead = "" if not prompt_end or prompt_end[-1] in " \n>" else " "
    before, whole = (text_tokens(tokenizer, text) for text in (prompt_end, f"{prompt_end}{lead}{answer}"))
    ids = whole[len(before) :] if whole[: len(before)] == before else text_tokens(tokenizer, lead + answer)
    if not ids:
        raise RequestError(f"{answer!r} has no tokens")
    return ids
