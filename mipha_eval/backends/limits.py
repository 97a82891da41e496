"""What a network can be asked: token ids that it has an embedding for, prompts that its positions hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from mipha_eval.errors import RequestError


@dataclass(frozen=True)
class Limits:
    """Limits of a network.

    Attributes:
        rows: rows of its embedding of tokens.
        placeholders: token ids that stand for pictures, whose embeddings are never looked up.
        positions: tokens that a prompt may have; None where there is no such number.
    """

    rows: int
    placeholders: Collection[int]
    positions: int | None

    @classmethod
    def of(cls, model: Any) -> Limits:
        """Reads them from a model of transformers."""
        config = model.config
        marks = (getattr(config, name, None) for name in ("image_token_id", "image_token_index", "video_token_id"))
        rows = len(model.get_input_embeddings().weight)
        return cls(
            rows, frozenset(mark for mark in marks if mark is not None), positions(config.get_text_config(decoder=True))
        )

    def check_ids(self, ids: Iterable[int]) -> None:
        """Raises RequestError for a token without an embedding; negative ids are placeholders of our own."""
        beyond = next((token for token in ids if token >= self.rows and token not in self.placeholders), None)
        if beyond is not None:
            raise RequestError(f"the prompt holds token {beyond}, but the model's embedding has {self.rows} rows")

    def check_length(self, tokens: int) -> None:
        """Raises RequestError for a prompt that is too long."""
        if self.positions is not None and tokens > self.positions:
            raise RequestError(f"the prompt has {tokens:,} tokens, the model has {self.positions:,} positions")


def positions(config: Any) -> int | None:
    """Tokens that a decoder was made for: what its configuration says, times a factor by which its rotation is stretched.

    transformers reads longer prompts, if positions are computed and not learned, and only warns; what comes out is noise.
    """
    most = getattr(config, "max_position_embeddings", None)
    if not isinstance(most, int) or most <= 0:
        return None
    rope = getattr(config, "rope_parameters", None) or {}
    factor, original = rope.get("factor") or 1.0, rope.get("original_max_position_embeddings")
    return max(most, int(factor * (original or most)))
