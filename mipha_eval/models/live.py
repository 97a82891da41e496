"""Questions that are being answered behind their prefixes: where their tokens go, and which are not finished yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mipha_eval.models.packed import QuestionPass, SharedCache, Tokens

#: places by which a full cache grows, for each question of a row
GROWTH = 16


@dataclass(frozen=True)
class State:
    """Prefixes that were read.

    Attributes:
        following: [rows], the position of the first token behind each prefix.
        axes: how many numbers a position has; 0 where it is a plain number.
    """

    cache: SharedCache
    following: Tensor
    axes: int


class Live:
    """The unfinished questions of a batch.

    Attributes:
        numbers: of the questions, in order.
        rows: of the cache, one for each of these questions.
    """

    def __init__(self, state: State, rows: Sequence[int]) -> None:
        self._cache, self._following, self._axes = state.cache, state.following, state.axes
        self._cache.owner.fill_(-1)
        self._free = self._cache.lengths.clone()
        self.numbers, self.rows = list(range(len(rows))), list(rows)

    def reserve(self, places: int) -> None:
        """Makes sure that every row has as many free places."""
        needed = int(self._free.max()) + places
        if needed > self._cache.capacity:
            everything = torch.arange(len(self._free), device=self._free.device)
            self._cache = self._cache.keep(everything, needed)

    def read(self, rows: Sequence[int], owners: Sequence[int], parents: Sequence[int]) -> QuestionPass:
        """Takes the next places of rows for tokens.

        Args:
            rows: of each token, in order.
            owners, parents: see `Tokens`.
        """
        first, last = rows[0], rows[-1] + 1
        found = Counter(rows)
        counts = [found[row] for row in range(first, last)]
        device = self._free.device
        if int(self._free[first:last].max()) + max(counts) > self._cache.capacity:
            self.reserve(GROWTH * max(counts))
        starts = self._free[first:last].clone()
        self._free[first:last] += torch.tensor(counts, device=device)
        owner, parent = (torch.tensor(each, dtype=torch.int32, device=device) for each in (owners, parents))
        return QuestionPass(self._cache, Tokens(slice(first, last), counts, starts, owner, parent))

    def positions(self, rows: Sequence[int], depths: Sequence[int]) -> Tensor:
        """Positions [tokens] or [axes, tokens] of tokens that are `depths` behind their prefixes."""
        device = self._following.device
        positions = self._following[torch.tensor(rows, device=device)] + torch.tensor(depths, device=device)
        return positions.expand(self._axes, -1) if self._axes else positions

    def drop(self, finished: Collection[int]) -> None:
        """Questions leave; once half the rows have none, what the others need is copied and the rest given up."""
        stay = [place for place, number in enumerate(self.numbers) if number not in finished]
        self.numbers, self.rows = [self.numbers[place] for place in stay], [self.rows[place] for place in stay]
        used = sorted(set(self.rows))
        if used and 2 * len(used) <= len(self._free):
            kept = torch.tensor(used, device=self._free.device)
            self._cache = self._cache.keep(kept, self._cache.capacity)
            self._free, self._following = self._free[kept], self._following[kept]
            place = {row: number for number, row in enumerate(used)}
            self.rows = [place[row] for row in self.rows]
