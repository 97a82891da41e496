"""Tokenizers that close each text with a separator, as BERT's do, in front of a decoder that is to go on with the text.

Source: the example of visual question answering in transformers' documentation of `GitForCausalLM`, whose prompt has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from torch import Tensor

from mipha_eval.models.template import ANY_QUESTION

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def closes_texts(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether texts stand between a class token and a separator."""
    ids = tokenizer(ANY_QUESTION).input_ids
    around = (tokenizer.cls_token_id, tokenizer.sep_token_id)
    return None not in around and bool(ids) and (ids[0], ids[-1]) == around


def without_separator(made: Mapping[str, object]) -> dict[str, object]:
    """What a processor made of prompts, padded on the left if at all, without the last token of each."""
    length = len(cast(Sequence[Sequence[int]], made["input_ids"])[0])
    return {name: _cut(value, length) if name.endswith(("_ids", "_mask")) else value for name, value in made.items()}


def _cut(value: object, length: int) -> object:
    """Rows of as many numbers as there are tokens, each without its last."""
    if isinstance(value, Tensor):
        return value[:, :-1] if value.ndim > 1 and value.shape[1] == length else value
    rows = cast(Sequence[Sequence[int]], value)
    return [row[:-1] for row in rows] if len(rows[0]) == length else rows
