"""The token ids that end an answer."""

from __future__ import annotations

from typing import Any

from mipha_eval.core.errors import UserError


def end_ids(given: Any, tokenizer: Any) -> frozenset[int]:
    """What a checkpoint's settings give as ``eos_token_id``, else the tokenizer's.

    Args:
        given: an id, a list of ids, or None.

    Raises:
        UserError: there is none, so that no answer would end before its limit.
    """
    found = tokenizer.eos_token_id if given is None or given == [] else given
    ids = found if isinstance(found, list) else [found]
    if not all(isinstance(token, int) and token >= 0 for token in ids):
        raise UserError(
            f"{tokenizer.name_or_path} names no end token: neither generation_config.json (eos_token_id) nor "
            "tokenizer_config.json (eos_token) has one that is a token, so that no answer would end; add it there"
        )
    return frozenset(ids)
