"""Shared prefixes: what every question about an image has in common is read once. Policy only, no tensors."""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mipha_eval.adapter import ModelAdapter
from mipha_eval.errors import RequestError
from mipha_eval.types import Decoding, Image, Request, Response

Key = TypeVar("Key", bound=Hashable)


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
class Group(Generic[Key]):
    """Prompts about the same images, by their keys, and the length of the prefix they share."""

    members: tuple[Key, ...]
    shared: int


@dataclass(frozen=True)
class Layout(Generic[Key]):
    """Prompts of a batch cut into prefixes and suffixes.

    Attributes:
        suffixes: (key of the prompt, number of its prefix, what follows the prefix).
        unread: key of a prompt whose images cannot be read -> why.
    """

    prefixes: list[Prefix]
    suffixes: list[tuple[Key, int, tuple[int, ...]]]
    unread: dict[Key, str]


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

    @abstractmethod
    def encode_option(self, option: str) -> tuple[int, ...]:
        """The ids of an option as the whole answer to a prompt, the end token among them."""

    @abstractmethod
    def rank(self, state: Any, rows: Sequence[int], suffixes: Sequence[tuple[int, ...]], ends: Sequence[int]) -> list[float]:
        """Reads each suffix behind prefix number `rows[i]`; sums the log-probabilities of its last `ends[i]` ids."""

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        prompts, responses = self._encode_all(batch)
        layout = self._lay_out(prompts)
        responses |= {index: Response.failure(reason) for index, reason in layout.unread.items()}
        if layout.prefixes:
            state = self.prefill(layout.prefixes)
            for decoding in dict.fromkeys(batch[index].decoding for index, _, _ in layout.suffixes):
                alike = [entry for entry in layout.suffixes if batch[entry[0]].decoding == decoding]
                indices, rows, suffixes = zip(*alike, strict=True)
                responses |= zip(indices, self.resume(state, rows, suffixes, decoding), strict=True)
        return [responses[index] for index in range(len(batch))]

    def loglikelihood(self, batch: Sequence[Request]) -> list[Response]:
        """All options of all questions about an image go behind one prefix, in one forward pass."""
        prompts, responses = self._encode_all(batch)
        options: dict[int, list[tuple[int, ...]]] = {}
        for index in list(prompts):
            try:
                options[index] = [self.encode_option(option) for option in batch[index].options]
            except RequestError as error:
                del prompts[index]
                responses[index] = Response.failure(str(error))
        candidates = {
            (index, number): dataclasses.replace(prompts[index], ids=prompts[index].ids + ids)
            for index in prompts
            for number, ids in enumerate(options[index])
        }
        layout = self._lay_out(candidates, kept=1 + max((len(ids) for rows in options.values() for ids in rows), default=0))
        responses |= {index: Response.failure(reason) for (index, _), reason in layout.unread.items()}
        if layout.prefixes:
            keys, rows, suffixes = zip(*layout.suffixes, strict=True)
            ends = [len(options[index][number]) for index, number in keys]
            sums = dict(zip(keys, self.rank(self.prefill(layout.prefixes), rows, suffixes, ends), strict=True))
            for index in dict.fromkeys(index for index, _ in keys):
                likelihoods = tuple(sums[index, number] for number in range(len(options[index])))
                responses[index] = _ranked(batch[index], likelihoods, tuple(map(len, options[index])))
        return [responses[index] for index in range(len(batch))]

    def _encode_all(self, batch: Sequence[Request]) -> tuple[dict[int, Prompt], dict[int, Response]]:
        """Prompts, and failures of those that cannot be encoded, by place in the batch."""
        prompts, failures = {}, {}
        for index, request in enumerate(batch):
            try:
                prompts[index] = self.encode(request)
            except RequestError as error:
                failures[index] = Response.failure(str(error))
        return prompts, failures

    def _lay_out(self, prompts: Mapping[Key, Prompt], kept: int = 1) -> Layout[Key]:
        """Groups prompts and reads each group's images once; at least `kept` ids of a prompt go into its suffix."""
        layout: Layout[Key] = Layout([], [], {})
        for group in group_prompts(prompts, kept):
            first = prompts[group.members[0]]
            try:
                pixels = self.read_images(first.images)
            except RequestError as error:
                layout.unread.update(dict.fromkeys(group.members, str(error)))
                continue
            layout.suffixes.extend((key, len(layout.prefixes), prompts[key].ids[group.shared :]) for key in group.members)
            layout.prefixes.append(Prefix(first.ids[: group.shared], pixels))
        return layout


def _ranked(request: Request, likelihoods: tuple[float, ...], lengths: tuple[int, ...]) -> Response:
    if not all(map(math.isfinite, likelihoods)):
        return Response.failure("the model gives an option a likelihood that is not finite")
    best = request.options[likelihoods.index(max(likelihoods))]
    return Response(best, likelihoods=likelihoods, option_tokens=lengths)


def group_prompts(prompts: Mapping[Key, Prompt], kept: int = 1) -> list[Group[Key]]:
    """Groups prompts with the same images and finds the longest run of ids that all in a group begin with.

    At least `kept` ids of every prompt are left for its suffix, as far as they lie behind its images. Prompts whose images
    stand in different places are not grouped.
    """
    members: dict[tuple[tuple[str, ...], tuple[int, ...]], list[Key]] = {}
    for index, prompt in prompts.items():
        locations = tuple(image.location for image in prompt.images)
        members.setdefault((locations, prompt.ids[: prompt.images_end]), []).append(index)
    return [
        Group(tuple(keys), _common_length([prompts[key].ids for key in keys], kept, prompts[keys[0]].images_end))
        for keys in members.values()
    ]


def _common_length(rows: Sequence[tuple[int, ...]], kept: int, least: int) -> int:
    shortest = max(min(len(row) for row in rows) - kept, least)
    low, high = min(rows), max(rows)  # what the first and the last in order share, all share
    return next((place for place in range(shortest) if low[place] != high[place]), shortest)
