"""When an answer ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class StopText:
    """A text that ends an answer and is no token of its own.

    Attributes:
        ids: the text's tokens.
        decode: from token ids to text, without special tokens.
    """

    text: str
    ids: tuple[int, ...]
    decode: Callable[[Sequence[int]], str]

    def ended(self, ids: Sequence[int]) -> bool:
        """Whether the last tokens are the text's, or say it. Source: LLaVA's ``KeywordsStoppingCriteria``."""
        last = tuple(ids[-len(self.ids) :])
        return last == self.ids or self.text in self.decode(last)


@dataclass(frozen=True)
class Stop:
    """An answer ends at one of the token ids `ends`, at a `text`, or after `limit` tokens; what ends it counts."""

    ends: frozenset[int]
    limit: int
    text: StopText | None = None

    def ended(self, ids: Sequence[int]) -> bool:
        """Whether an answer is complete with its last token, whatever its length."""
        return ids[-1] in self.ends or (self.text is not None and self.text.ended(ids))
