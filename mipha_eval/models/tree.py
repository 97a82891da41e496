"""A question and the options behind it as tokens that are read together. No tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Tree:
    """Tokens of a question, and of options that branch off behind it.

    Attributes:
        ids: the question's tokens, then those of each option but its last, which is only predicted.
        branches: of each token 0 for the question, else the number of the option from 1.
        depths: of each token how many are before it on the way from the prefix.
        wanted: places of the tokens whose logits are read: the question's last, then every option token in order.
    """

    ids: tuple[int, ...]
    branches: tuple[int, ...]
    depths: tuple[int, ...]
    wanted: tuple[int, ...]

    @classmethod
    def of(cls, question: tuple[int, ...], options: Sequence[tuple[int, ...]]) -> Tree:
        """Raises ValueError for a question without tokens: something must predict the answer's first token."""
        if not question:
            raise ValueError("a question needs a token of its own")
        ids, branches, depths = list(question), [0] * len(question), list(range(len(question)))
        for number, option in enumerate(options, start=1):
            ids += option[:-1]
            branches += [number] * (len(option) - 1)
            depths += range(len(question), len(question) + len(option) - 1)
        return cls(tuple(ids), tuple(branches), tuple(depths), tuple(range(len(question) - 1, len(ids))))
