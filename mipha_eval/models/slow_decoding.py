"""Token ids to text as the tokenizers did that were written in Python, which older projects ask for (``use_fast=False``).

Source: transformers 4.37.2, ``PreTrainedTokenizer._decode``. Added tokens stand apart, between spaces, and what is between
them is decoded piece by piece; SentencePiece replaces each byte that is no UTF-8, where ``tokenizers`` replaces a whole run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sentencepiece import SentencePieceProcessor

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: from token ids to text
Decode = Callable[[Sequence[int]], str]

#: the vocabulary of a SentencePiece tokenizer
MODEL = "tokenizer.model"


def slow_decoder(folder: Path, tokenizer: PreTrainedTokenizerBase) -> Decode:
    """Decodes as the tokenizer of a folder would have, without special tokens."""
    apart = set(tokenizer.added_tokens_encoder.values()) - set(tokenizer.all_special_ids)
    special, decode = set(tokenizer.all_special_ids), _piece_decoder(folder, tokenizer)
    cleans = bool(tokenizer.clean_up_tokenization_spaces)

    def decoded(ids: Sequence[int]) -> str:
        kept = [token for token in ids if token not in special]
        text = " ".join(map(decode, _runs(kept, apart)))
        return tokenizer.clean_up_tokenization(text) if cleans else text

    return decoded


def _piece_decoder(folder: Path, tokenizer: PreTrainedTokenizerBase) -> Decode:
    if not (folder / MODEL).is_file():
        return lambda ids: str(tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))
    pieces = SentencePieceProcessor(model_file=str(folder / MODEL))
    size = pieces.vocab_size()

    def decoded(ids: Sequence[int]) -> str:
        known = all(token < size for token in ids)
        return str(pieces.decode(list(ids)) if known else tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))

    return decoded


def _runs(ids: Sequence[int], apart: set[int]) -> Iterator[list[int]]:
    """Ids between those that stand apart, and these each alone."""
    run: list[int] = []
    for token in ids:
        if token not in apart:
            run.append(token)
            continue
        if run:
            yield run
        yield [token]
        run = []
    if run:
        yield run
