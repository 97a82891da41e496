"""Shared prefixes: what every question about an image has in common is read once. Policy only, no tensors."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Generic, TypeVar

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import RequestError
from mipha_eval.core.types import Decoding, Image, Request, Response
from mipha_eval.models.prefetch import ReadAhead
from mipha_eval.models.prompt_groups import Group, Prompt, cut, group_prompts

#: what the images of a prompt are read as, and what an adapter holds of prefixes that it has read
Pixels = TypeVar("Pixels")
State = TypeVar("State")

#: token ids of the options of a question
Options = Sequence[tuple[int, ...]]

#: places for generated tokens that a question is given at once; most answers are a word and the end token
ROOM_FOR_ANSWER = 4


@dataclass(frozen=True)
class Prefix(Generic[Pixels]):
    """The beginning that several prompts share.

    Attributes:
        pixels: its images as `read_images` gave them.
        room: how many tokens of questions and options will be read behind it.
    """

    ids: tuple[int, ...]
    pixels: Pixels
    room: int


@dataclass(frozen=True)
class Question:
    """What follows a prefix.

    Attributes:
        row: the number of the prefix.
        tracked: answers whose probability is wanted, as token ids.
    """

    row: int
    ids: tuple[int, ...]
    tracked: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Answer:
    """A generated answer.

    Attributes:
        ids: generated so far.
        best: (token id, logit) of the likeliest first tokens.
        probabilities: probability that the answer begins with each of the question's `tracked`.
    """

    ids: list[int]
    best: tuple[tuple[int, float], ...]
    probabilities: tuple[float, ...]


class PrefixAdapter(ModelAdapter, Generic[Pixels, State]):
    """A model that answers many questions behind one prefill."""

    shares: ClassVar[bool] = True

    @abstractmethod
    def prompt(self, request: Request, pixels: Pixels | None) -> Prompt | None:
        """The whole prompt, encoded at once as the model's own code does it.

        `pixels` are what `read_images` gave, which some adapters do without. None for a prompt of which ids and images do
        not say all, so that nothing can be shared with others. Raises RequestError for a text that cannot be tokenized.
        """

    @abstractmethod
    def encode_option(self, option: str, question: str) -> tuple[int, ...]:
        """The ids of an option as the whole answer to a question, the end token among them. Raises RequestError."""

    @abstractmethod
    def encode_beginning(self, answer: str, question: str) -> tuple[int, ...]:
        """The ids that the answer to a question begins with, if it begins with this text. Raises RequestError."""

    @abstractmethod
    def read_images(self, images: Sequence[Image]) -> Pixels:
        """Decodes and preprocesses the images of a prompt; called in worker threads. Raises RequestError."""

    @abstractmethod
    def prefix_length(self, prefix: Prefix[Pixels]) -> int:
        """Tokens of a prefix, its images' among them."""

    @abstractmethod
    def stands_alone(self, prompt: Prefix[Pixels], answer: int) -> bool:
        """Whether a whole prompt with an answer of so many tokens can share nothing, not even a pass with others."""

    @abstractmethod
    def prefill(self, prefixes: Sequence[Prefix[Pixels]]) -> State:
        """Reads prefixes together; returns a state that `resume` and `rank` go on from, any number of times."""

    @abstractmethod
    def resume(self, state: State, questions: Sequence[Question], decoding: Decoding) -> list[Response]:
        """Answers all questions together; those of a row stand one after the other, rows in order."""

    @abstractmethod
    def rank(self, state: State, questions: Sequence[Question], options: Sequence[Options]) -> list[list[float]]:
        """Log-probability of each option as the answer to each question; order as for `resume`."""

    @property
    @abstractmethod
    def sharing(self) -> bool:
        """Whether prefixes are shared; where not, `plain` answers."""

    @abstractmethod
    def plain(self, batch: Sequence[Request]) -> list[Response]:
        """Answers without any sharing between requests."""

    @cached_property
    def _ahead(self) -> ReadAhead[Pixels]:
        return ReadAhead(self.read_images)

    @property
    @abstractmethod
    def reads_ahead(self) -> bool:
        """Whether answering takes pictures from `pixels_of`."""

    def prefetch(self, batch: Sequence[Request]) -> None:
        if self.reads_ahead:
            about: dict[tuple[Image, ...], list[Request]] = {}
            for request in batch:
                about.setdefault(request.images, []).append(request)
            self._ahead.prefetch(about, lambda images, pixels: self.prepare(about[images], pixels))

    def prepare(self, requests: Sequence[Request], pixels: Pixels) -> None:
        """What else can be done ahead for requests about the same images; called in worker threads. Never fails."""

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        return self.respond(batch)

    def loglikelihood(self, batch: Sequence[Request]) -> list[Response]:
        return self.respond(batch)

    def respond(self, batch: Sequence[Request]) -> list[Response]:
        """All requests about the same images behind one prefix, whatever their decoding and options."""
        return respond_shared(self, batch, self.plain) if self.sharing else self.plain(batch)

    def pixels_of(self, images: tuple[Image, ...]) -> Pixels:
        """What `read_images` gives, waited for if it is being read. Raises RequestError."""
        return self._ahead.take(images)


def respond_shared(
    adapter: PrefixAdapter[Pixels, State], batch: Sequence[Request], apart: Callable[[Sequence[Request]], list[Response]]
) -> list[Response]:
    """Reads the prefixes of a batch, then all questions behind them; `apart` answers what cannot be shared."""
    shared = SharedBatch(adapter, batch)
    if shared.prefixes:
        shared.ask(adapter.prefill(shared.prefixes))
    if shared.apart:
        shared.responses |= zip(shared.apart, apart([batch[place] for place in shared.apart]), strict=True)
    return [shared.responses[place] for place in range(len(batch))]


class SharedBatch(Generic[Pixels, State]):
    """A batch cut into prefixes and questions.

    Attributes:
        responses: by place in the batch; failures so far, until `ask` has answered the others.
        apart: places of requests that share nothing.
    """

    def __init__(self, adapter: PrefixAdapter[Pixels, State], batch: Sequence[Request]) -> None:
        self._adapter, self._batch = adapter, batch
        self.responses: dict[int, Response] = {}
        self.apart = [place for place, request in enumerate(batch) if alone(request)]  # nothing is read for them here
        self.prefixes: list[Prefix[Pixels]] = []
        self._questions: dict[int, Question] = {}
        self._options: dict[int, Options] = {}
        self._watched: dict[int, tuple[tuple[int, ...], ...]] = {}
        shared = {place: request for place, request in enumerate(batch) if not alone(request)}
        pixels = {images: self._read(images) for images in dict.fromkeys(request.images for request in shared.values())}
        prompts: dict[int, Prompt] = {}
        for place, request in shared.items():
            try:
                if prompt := self._encoded(place, request, pixels[request.images]):
                    prompts[place] = prompt
                else:
                    self.apart.append(place)
            except RequestError as error:
                self.responses[place] = Response.failure(str(error))
        for group in group_prompts(prompts):
            for members in cut(group.members, [len(prompts[place].ids) - group.shared for place in group.members]):
                self._add(Group(members, group.shared), prompts, pixels)

    def _read(self, images: tuple[Image, ...]) -> Pixels | RequestError:
        """Pixels, or why there are none."""
        try:
            return self._adapter.pixels_of(images)
        except RequestError as error:
            return error

    def _encoded(self, place: int, request: Request, pixels: Pixels | RequestError) -> Prompt | None:
        if isinstance(pixels, RequestError):
            raise pixels
        prompt = self._adapter.prompt(request, pixels)
        self._options[place] = [self._adapter.encode_option(option, request.text) for option in request.options]
        self._watched[place] = tuple(self._adapter.encode_beginning(answer, request.text) for answer in request.tracked)
        answers = map(len, (*self._options[place], *self._watched[place]))
        longest = max([0 if request.options else request.decoding.max_new_tokens, *answers])
        apart = prompt is not None and self._adapter.stands_alone(Prefix(prompt.ids, pixels, 0), longest)
        return None if apart else prompt

    def _add(
        self, group: Group, prompts: Mapping[int, Prompt], pixels: Mapping[tuple[Image, ...], Pixels | RequestError]
    ) -> None:
        first, room = prompts[group.members[0]], 0
        for place in group.members:
            branches = (*self._options[place], *self._watched[place])
            room += len(prompts[place].ids) - group.shared + sum(len(ids) - 1 for ids in branches) + ROOM_FOR_ANSWER
            own = prompts[place].ids[group.shared :]
            self._questions[place] = Question(len(self.prefixes), own, self._watched[place])
        found = pixels[self._batch[group.members[0]].images]  # not the prompt's images: a model may read none
        if isinstance(found, RequestError):  # without pixels there was no prompt
            raise found
        self.prefixes.append(Prefix(first.ids[: group.shared], found, room))

    def ask(self, state: State) -> None:
        """Generates, for each decoding apart, and ranks, all behind the same prefixes."""
        manners: dict[Decoding | None, list[int]] = {}
        for place in self._questions:
            request = self._batch[place]
            manners.setdefault(None if request.options else request.decoding, []).append(place)
        for decoding, places in manners.items():
            questions = [self._questions[place] for place in places]
            if decoding is not None:
                self.responses.update(zip(places, self._adapter.resume(state, questions, decoding), strict=True))
                continue
            options = [self._options[place] for place in places]
            for place, sums in zip(places, self._adapter.rank(state, questions, options), strict=True):
                self.responses[place] = ranked(self._batch[place], sums, self._options[place])


def alone(request: Request) -> bool:
    """Whether it begins otherwise than others about its images, or only the model's own library decodes it as it wants."""
    return bool(request.template) or (not request.options and bool(request.decoding.settings))


def ranked(request: Request, likelihoods: Sequence[float], options: Options) -> Response:
    """The likeliest option as a response; the first of equals."""
    if not all(map(math.isfinite, likelihoods)):
        return Response.failure("the model gives an option a likelihood that is not finite")
    best = request.options[likelihoods.index(max(likelihoods))]
    return Response(best, likelihoods=tuple(likelihoods), option_tokens=tuple(map(len, options)))
