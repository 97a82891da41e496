"""The token ids that end an answer."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)


def end_ids(given: object, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """What a checkpoint's settings give as ``eos_token_id``, else the tokenizer's.

    Args:
        given: an id, a list of ids, or None.

    Raises:
        UserError: there is none, so that no answer would end before its limit.
    """
    found: object = tokenizer.eos_token_id if given is None or given == [] else given
    ids = found if isinstance(found, list) else [found]
    numbers = [token for token in ids if isinstance(token, int) and token >= 0]
    if len(numbers) < len(ids):
        raise UserError(
            f"{tokenizer.name_or_path} names no end token: neither generation_config.json (eos_token_id) nor "
            "tokenizer_config.json (eos_token) has one that is a token, so that no answer would end; add it there"
        )
    return frozenset(numbers)


def unheeded_end(ends: Collection[int], tokenizer: PreTrainedTokenizerBase) -> str | None:
    """The tokenizer's end token where it ends no answer, since a checkpoint's settings name others alone; else None."""
    own = tokenizer.eos_token_id
    return None if own is None or own in ends else str(tokenizer.eos_token)


def report_ends(folder: Path, ends: Collection[int], tokenizer: PreTrainedTokenizerBase) -> None:
    """Tells the user of an end token that ends nothing; transformers' `generate` goes by the settings, and so do answers."""
    unheeded = unheeded_end(ends, tokenizer)
    if unheeded is not None:
        named = ", ".join(repr(tokenizer.convert_ids_to_tokens(end)) for end in sorted(ends))
        logger.warning(
            "%s: answers end at %s, as its settings say; its tokenizer's own end token %r ends none", folder, named, unheeded
        )
