"""The token ids that end an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


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
