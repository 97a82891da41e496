"""What the official builders do with a checkpoint's tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mipha_eval.core.errors import RequestError
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.prompt import IMAGE_END, IMAGE_PATCH, IMAGE_START, tokenize_prompt
from mipha_eval.models.settings import read_settings
from mipha_eval.models.stop import StopText
from mipha_eval.models.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase


def official_tokenizer(folder: Path, described: Description, decoder: PreTrainedConfig) -> PreTrainedTokenizerBase:
    """The checkpoint's tokenizer as the official code has it, with the tokens that it adds.

    Args:
        decoder: its decoder's configuration, since transformers does not know the checkpoint's model type.

    Raises:
        UserError: there is no usable one.
    """
    cleaned = read_settings(folder / "tokenizer_config.json").get("clean_up_tokenization_spaces", True)
    tokenizer = load_tokenizer(
        folder,
        config=decoder,
        clean_up_tokenization_spaces=cleaned,
        # the official code's version of transformers did it by default, and answers depend on it
        clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output=cleaned,
    )
    tokenizer.add_tokens(image_marks(described), special_tokens=True)
    return tokenizer


def image_marks(described: Description) -> list[str]:
    """Tokens that are added, those that it has already among them; the official default for the patch is to add it."""
    patch = [IMAGE_PATCH] if described.patch_token else []
    return patch + ([IMAGE_START, IMAGE_END] if described.start_end else [])


def token_ids(pieces: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Ids of a prompt that is cut where its pictures stand. Raises RequestError."""
    try:
        return tokenize_prompt(pieces, lambda text: tokenizer(text).input_ids, tokenizer.bos_token_id)
    except TypeError as error:  # how the tokenizer takes a lone surrogate
        raise RequestError(f"the question cannot be tokenized: {error}") from error


def stopping(
    tokenizer: PreTrainedTokenizerBase, word: str, rule: Literal["token", "text", "never"]
) -> tuple[frozenset[int], StopText | None]:
    """The token that a template's stopping word is, or the text where it is several; by `Layout.stop_words`."""
    ids = tuple(tokenizer(word, add_special_tokens=False).input_ids) if word and rule != "never" else ()
    if len(ids) > 1 and rule == "text":
        return frozenset(), StopText(word, ids, lambda each: str(tokenizer.decode(list(each), skip_special_tokens=True)))
    return frozenset(ids if len(ids) == 1 else ()), None
