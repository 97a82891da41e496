"""Shared prefixes: what every question about an image has in common is read once. Policy only, no tensors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mipha_eval.adapter import ModelAdapter
from mipha_eval.errors import RequestError
from mipha_eval.types import Decoding, Image, Request, Response


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
class Prefix:
    """The beginning that several prompts share, with its images as the model takes them."""

    ids: tuple[int, ...]
    pixels: Any


@dataclass(frozen=True)
class Group:
    """Prompts about the same images, by their places in a batch, and the length of the prefix they share."""

    members: tuple[int, ...]
    shared: int


class PrefixAdapter(ModelAdapter):
    """A model that answers many questions behind one prefill. `State` is whatever `prefill` returns."""

    @abstractmethod
    def encode(self, request: Request) -> Prompt:
        """Renders and tokenizes; does not touch images. Raises RequestError for a text that cannot be tokenized."""

    @abstractmethod
    def read_images(self, images: Sequence[Image]) -> Any:
        """Decodes and preprocesses the images of a prompt, into whatever `prefill` takes. Raises RequestError."""

    @abstractmethod
    def prefill(self, prefixes: Sequence[Prefix]) -> Any:
        """Reads many prefixes in one batch; returns the state to resume from."""

    @abstractmethod
    def resume(
        self, state: Any, rows: Sequence[int], suffixes: Sequence[tuple[int, ...]], decoding: Decoding
    ) -> list[Response]:
        """Reads each suffix behind prefix number `rows[i]` and decodes all of them together."""

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        responses: list[Response | None] = [None] * len(batch)
        prompts: dict[int, Prompt] = {}
        for index, request in enumerate(batch):
            try:
                prompts[index] = self.encode(request)
            except RequestError as error:
                responses[index] = Response.failure(str(error))
        prefixes: list[Prefix] = []
        suffixes: dict[Decoding, list[tuple[int, int, tuple[int, ...]]]] = {}
        for group in group_prompts(prompts):
            first = prompts[group.members[0]]
            try:
                pixels = self.read_images(first.images)
            except RequestError as error:
                for index in group.members:
                    responses[index] = Response.failure(str(error))
                continue
            for index in group.members:
                rest = (index, len(prefixes), prompts[index].ids[group.shared :])
                suffixes.setdefault(batch[index].decoding, []).append(rest)
            prefixes.append(Prefix(first.ids[: group.shared], pixels))
        if prefixes:
            state = self.prefill(prefixes)
            for decoding, rests in suffixes.items():
                indices, rows, tails = zip(*rests, strict=True)
                for index, response in zip(indices, self.resume(state, rows, tails, decoding), strict=True):
                    responses[index] = response
        return [response for response in responses if response is not None]


def group_prompts(prompts: Mapping[int, Prompt]) -> list[Group]:
    """Groups prompts with the same images and finds the longest run of ids that all in a group begin with.

    At least one id of every prompt is left for its suffix. Prompts whose images stand in different places are not grouped.
    """
    members: dict[tuple[tuple[str, ...], tuple[int, ...]], list[int]] = {}
    for index, prompt in prompts.items():
        locations = tuple(image.location for image in prompt.images)
        members.setdefault((locations, prompt.ids[: prompt.images_end]), []).append(index)
    return [Group(tuple(indices), _common_length([prompts[index].ids for index in indices])) for indices in members.values()]


def _common_length(rows: Sequence[tuple[int, ...]]) -> int:
    shortest = min(len(row) for row in rows) - 1
    low, high = min(rows), max(rows)  # what the first and the last in order share, all share
    return next((place for place in range(shortest) if low[place] != high[place]), shortest)
