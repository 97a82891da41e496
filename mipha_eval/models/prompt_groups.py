"""Prompts that begin alike: which of a batch share a prefix, and how long it is. No tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.types import Image

#: tokens of questions behind one prefix; beyond, which is rare but for questions without an image, it is read again
MOST_BEHIND = 4096


@dataclass(frozen=True)
class Prompt:
    """A request as tokens.

    Attributes:
        ids: token ids, an image being one negative placeholder.
        images: in the order of their placeholders.
        images_end: how many ids reach past the last image; a shared prefix is never cut before.
    """

    ids: tuple[int, ...]
    images: tuple[Image, ...]
    images_end: int


@dataclass(frozen=True)
class Group:
    """Prompts about the same images, by their places in the batch, and the length of the prefix they share."""

    members: tuple[int, ...]
    shared: int


def group_prompts(prompts: Mapping[int, Prompt]) -> list[Group]:
    """Groups prompts with the same images and finds the longest run of ids that all in a group begin with.

    At least the last id of every prompt is left for its question, which must have something to predict the answer from;
    a prefix reaches past its images all the same. Prompts whose images stand in different places are not grouped.
    """
    members: dict[tuple[tuple[str, ...], tuple[int, ...]], list[int]] = {}
    for place, prompt in prompts.items():
        views = tuple(image.view for image in prompt.images)
        members.setdefault((views, prompt.ids[: prompt.images_end]), []).append(place)
    return [
        Group(tuple(places), _common_length([prompts[place].ids for place in places], prompts[places[0]].images_end))
        for places in members.values()
    ]


def cut(members: Sequence[int], lengths: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Parts of a group of at most `MOST_BEHIND` tokens, or of one member: attention looks at all pairs of a row's tokens."""
    part: list[int] = []
    total = 0
    for member, length in zip(members, lengths, strict=True):
        if part and total + length > MOST_BEHIND:
            yield tuple(part)
            part, total = [], 0
        part.append(member)
        total += length
    yield tuple(part)


def _common_length(rows: Sequence[tuple[int, ...]], least: int) -> int:
    longest = max(min(map(len, rows)) - 1, least)
    low, high = min(rows), max(rows)  # what the first and the last in order share, all share
    return next((place for place in range(longest) if low[place] != high[place]), longest)
