"""Attention for packed questions: many prefixes in one row of tokens, many questions behind each prefix's keys and values.

A forward pass here has batch size 1: the tokens of all prefixes, or of all questions, stand one after the other, so that
nothing is padded where the work is (matrix products over tokens). Only attention knows whose tokens are whose. The questions
about an image read its keys and values where they lie; they are never copied for a question.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

NAME = "mipha_eval_packed"

#: tokens that causal attention goes out from at a time, by device; all elsewhere
CAUSAL_BLOCK = {"cpu": 192}

#: what some models hand to their attention and packed attention would have to heed
UNKNOWN = ("softcap", "s_aux", "position_bias")


class PrefixRead(Exception):  # noqa: N818 - no error: it ends a forward pass whose rest nobody needs
    """The last layer's keys and values of a prefix are stored; its attention, its MLP and the head would be dead work."""


class NotShareableError(RuntimeError):
    """The model attends in a way that packed attention does not know."""


@dataclass(frozen=True)
class Grid:
    """Where packed tokens stand when they are laid out in rows.

    Attributes:
        row, slot: [tokens] each.
        rows, width: of the grid.
        full: no place is empty and tokens are in order, so that laying out is a change of shape.
    """

    row: Tensor
    slot: Tensor
    rows: int
    width: int
    full: bool

    @classmethod
    def of(cls, counts: Sequence[int], device: torch.device) -> Grid:
        """Row i takes the next `counts[i]` tokens."""
        lengths = torch.tensor(counts)
        row = torch.repeat_interleave(torch.arange(len(counts)), lengths)
        slot = torch.arange(len(row)) - torch.repeat_interleave(lengths.cumsum(0) - lengths, lengths)
        return cls(row.to(device), slot.to(device), len(counts), max(counts), len(set(counts)) == 1)

    def on(self, device: torch.device) -> Grid:
        """The same for tokens on a device."""
        return self if self.row.device == device else replace(self, row=self.row.to(device), slot=self.slot.to(device))

    def spread(self, packed: Tensor) -> Tensor:
        """[heads, tokens, size] to [rows, heads, width, size], 0 where no token stands."""
        heads, _, size = packed.shape
        if self.full:
            return packed.view(heads, self.rows, self.width, size).transpose(0, 1)
        grid = packed.new_zeros(self.rows, self.width, heads, size)
        grid[self.row, self.slot] = packed.transpose(0, 1)
        return grid.transpose(1, 2)

    def collect(self, grid: Tensor) -> Tensor:
        """[rows, heads, width, size] to [tokens, heads, size]."""
        if self.full:
            return grid.transpose(1, 2).flatten(0, 1)
        return grid.transpose(1, 2)[self.row, self.slot]


class Grids:
    """A grid on every device that asks for it, copied there once."""

    def __init__(self, grid: Grid) -> None:
        self._first, self._grids = grid, {grid.row.device: grid}

    def on(self, device: torch.device) -> Grid:
        """The grid for tokens on a device."""
        if device not in self._grids:
            self._grids[device] = self._first.on(device)
        return self._grids[device]


@dataclass(frozen=True)
class Manner:
    """How a layer attends: what products are multiplied with, and how many tokens back a token sees, itself counted."""

    scale: float | None = None
    window: int | None = None


def causal_attention(query: Tensor, keys: Tensor, values: Tensor, manner: Manner) -> Tensor:
    """[rows, heads, tokens, size] each, and returned.

    torch's CPU kernel computes much of what causality hides; asked for some tokens at a time, it sees less of it.
    """
    length, scale, window = query.shape[2], manner.scale, manner.window or query.shape[2]
    block = CAUSAL_BLOCK.get(query.device.type, length)
    if length <= min(block, window):
        return scaled_dot_product_attention(query, keys, values, is_causal=True, scale=scale)
    hidden = torch.full((length, length), float("-inf"), dtype=query.dtype, device=query.device)
    hidden = hidden.triu(1) + hidden.tril(-window)
    parts = []
    for first in range(0, length, block):
        last = min(first + block, length)
        seen = keys[:, :, :last], values[:, :, :last]
        mask = hidden[first:last, :last]
        parts.append(scaled_dot_product_attention(query[:, :, first:last], *seen, attn_mask=mask, scale=scale))
    return torch.cat(parts, dim=2)


class SharedCache:
    """Keys and values of prefixes, a row each, and behind them of what was read about each prefix.

    Those of a layer lie where the layer computes, all else on one device.

    Attributes:
        lengths: [rows], tokens of each prefix.
        owner: [rows, capacity], the question that a token belongs to; -1 for prefixes and empty places.
        layers: keys and values of each layer, [rows, heads, capacity, size] both.
    """

    def __init__(self, lengths: Tensor, capacity: int) -> None:
        self.lengths = lengths
        self.owner = torch.full((len(lengths), capacity), -1, dtype=torch.int32, device=lengths.device)
        self.layers: list[tuple[Tensor, Tensor]] = []
        self._shortest = int(lengths.min())

    @property
    def capacity(self) -> int:
        return self.owner.shape[1]

    def layer(self, number: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a layer, made when it is first written; `like` is [heads, tokens, size]."""
        while len(self.layers) <= number:
            shape = (len(self.lengths), like.shape[0], self.capacity, like.shape[2])
            keys, values = like.new_empty(shape), like.new_empty(shape)
            for each in (keys, values):  # an empty place has weight 0, but would still spoil a sum if it held NaN
                each[:, :, self._shortest :] = 0
            self.layers.append((keys, values))
        return self.layers[number]

    def keep(self, rows: Tensor, capacity: int) -> SharedCache:
        """A copy of some rows with room for `capacity` tokens."""
        copy = SharedCache(self.lengths[rows], capacity)
        common = min(capacity, self.capacity)
        copy.owner[:, :common] = self.owner[rows, :common]
        for number, pair in enumerate(self.layers):
            for old, new in zip(pair, copy.layer(number, pair[0][0]), strict=True):
                new[:, :, :common] = old[rows.to(old.device), :, :common]
        return copy


class PrefixPass:
    """Reads prefixes into rows `first` and following of a cache; nothing but keys and values comes out of it."""

    def __init__(self, cache: SharedCache, first: int, counts: Sequence[int], layers: int) -> None:
        self._cache, self._layers = cache, layers
        self._grids = Grids(Grid.of(counts, cache.lengths.device))
        self._rows = slice(first, first + len(counts))

    def attend(self, number: int, states: Sequence[Tensor], manner: Manner) -> Tensor:
        """Query, key and value [heads, tokens, size]; returns [tokens, heads, size]. Raises PrefixRead at the last layer."""
        query, key, value = states
        grid = self._grids.on(key.device)
        keys, values = grid.spread(key), grid.spread(value)
        for stored, new in zip(self._cache.layer(number, key), (keys, values), strict=True):
            stored[self._rows, :, : grid.width] = new
        if number + 1 == self._layers:
            raise PrefixRead
        times = query.shape[0] // key.shape[0]
        if times > 1:
            keys, values = (each.repeat_interleave(times, dim=1) for each in (keys, values))
        # padding is on the right, where causal attention never looks
        return grid.collect(causal_attention(grid.spread(query), keys, values, manner))


@dataclass(frozen=True)
class Tokens:
    """Tokens that are read behind prefixes, row by row.

    Attributes:
        rows: rows of the cache that are read.
        counts: how many tokens each of these rows gets.
        starts: [rows], the first free place of each.
        owner: [tokens], whose token it is: a question's, or an option's.
        parent: [tokens], whose tokens it sees beside its owner's; the owner itself where there is no other.
    """

    rows: slice
    counts: Sequence[int]
    starts: Tensor
    owner: Tensor
    parent: Tensor


class QuestionPass:
    """Reads tokens behind the prefixes of some rows: each sees its prefix, its parent's tokens and its own until itself."""

    def __init__(self, cache: SharedCache, tokens: Tokens) -> None:
        self._cache, self._rows = cache, tokens.rows
        grid = Grid.of(tokens.counts, cache.lengths.device)
        slot = tokens.starts[grid.row] + grid.slot
        cache.owner[tokens.rows][grid.row, slot] = tokens.owner
        # where tokens stand among those that are read, and in the cache
        self._grids, self._places = Grids(grid), Grids(replace(grid, slot=slot))
        self._used = used = int(slot.max()) + 1
        places = torch.arange(used, device=slot.device)
        owners = cache.owner[tokens.rows, :used][grid.row]  # [tokens, used]
        related = (owners == tokens.owner[:, None]) | (owners == tokens.parent[:, None])
        prefix = places < cache.lengths[tokens.rows][grid.row, None]
        seen = prefix | (related & (places <= slot[:, None]))
        # a place of the grid without a token sees everything: what comes out there is not used, but it must be finite
        self._seen = seen.new_ones(grid.rows, grid.width, used)
        self._seen[grid.row, grid.slot] = seen
        self._masks: dict[tuple[torch.device, torch.dtype, int, int | None], Tensor] = {}

    def attend(self, number: int, states: Sequence[Tensor], manner: Manner) -> Tensor:
        """Query, key and value [heads, tokens, size]; returns [tokens, heads, size]."""
        query, key, value = states
        stored = self._cache.layer(number, key)
        keys, values = (self._added(whole, new) for whole, new in zip(stored, (key, value), strict=True))
        times, grid = query.shape[0] // key.shape[0], self._grids.on(query.device)
        spread = grid.spread(query)
        # heads that share keys are asked as further queries, so that keys are not copied for each of them
        folded = spread.reshape(grid.rows, key.shape[0], times * grid.width, spread.shape[-1])
        mask = self._mask(query, times, manner.window)
        out = scaled_dot_product_attention(folded, keys, values, attn_mask=mask, scale=manner.scale)
        return grid.collect(out.reshape(spread.shape[:3] + out.shape[-1:]))

    def _added(self, stored: Tensor, new: Tensor) -> Tensor:
        """Writes [heads, tokens, size] to their places; returns all that is in use, [rows, heads, used, size]."""
        here, places = stored[self._rows], self._places.on(new.device)
        here.transpose(1, 2)[places.row, places.slot] = new.transpose(0, 1)
        return here[:, :, : self._used]

    def _mask(self, query: Tensor, times: int, window: int | None) -> Tensor:
        """[rows, 1, queries, used], added to the products; made once for all layers of a device that attend alike."""
        kind = query.device, query.dtype, times, window
        if kind not in self._masks:
            seen = self._seen.to(query.device)
            if window is not None:  # what a token sees stands in the order of its positions, itself last
                places = seen.cumsum(dim=-1, dtype=torch.int32)
                seen = seen & (places > places[..., -1:] - window)
            mask = torch.zeros(seen.shape, dtype=query.dtype, device=seen.device)
            self._masks[kind] = mask.masked_fill_(~seen, float("-inf"))[:, None].repeat(1, 1, times, 1)
        return self._masks[kind]


class AttentionLayer(Protocol):
    """What is used of a layer's attention."""

    layer_idx: int


def attend_packed(
    module: AttentionLayer,
    *states: Tensor,
    packed: PrefixPass | QuestionPass,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **options: object,
) -> tuple[Tensor, None]:
    """What transformers calls in a layer, with query, key, value [1, heads, tokens, size] and a mask, which is None here.

    Returns:
        [1, tokens, heads, size], and no attention weights.
    """
    unknown = [name for name in UNKNOWN if options.get(name) is not None]
    if unknown:
        raise NotShareableError(f"its attention uses {', '.join(unknown)}")
    manner = Manner(scaling, sliding_window)
    return packed.attend(module.layer_idx, [state[0] for state in states[:3]], manner)[None], None


@contextlib.contextmanager
def packed_attention(config: PreTrainedConfig) -> Iterator[None]:
    """While entered, the decoder with this configuration attends by the `packed` that is passed to its forward."""
    AttentionInterface.register(NAME, attend_packed)
    before = config._attn_implementation
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = before
