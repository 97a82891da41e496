"""What a model author subclasses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.plugins.checks.responses import listed_responses
from mipha_eval.core.types import Decoding, Request, Response


@dataclass(frozen=True, slots=True)
class Cost:
    """Estimated tokens of a request.

    Attributes:
        shared: what requests about the same images share (the images' tokens); counted once a batch.
        own: what this request needs alone.
    """

    shared: int
    own: int


@dataclass(frozen=True)
class ModelAdapter(ABC):
    """A model. Subclasses are frozen dataclasses; their fields are the options that ``-a key=value`` sets.

    Fields called ``device`` and ``dtype`` are also set by ``--device`` and ``--dtype``, and one called ``share`` by
    ``--no-share``. `generate` is all that a model must have.

    Class attributes:
        reads_images: false for a model that never looks at a picture.
        shares: whether requests of a batch share work, so that an answer could depend on its neighbours; then every run
            compares some answers with `reference`.
        steady: whether the same request always has the same answer; of a model that is not, a user may have answers asked
            for again.
        ranks: false for a model that can rank no options; tasks that want that are refused before anything is asked.
        incidental: options that decide no answer, such as how many requests are under way; a run is the same with others.
        floor: whether it is there to be compared with, as a constant answer is; tables say so, and never rank it.
        heeds: which fields of `Asking` change its answers; one that is asked nothing heeds none.
        ways: options of its own that change how a question is put to it; where they are not as usual, results say so.
        added: options that earlier versions did not have; at their default they are no part of a run's identity, so that
            runs of before are found again.
    """

    name: ClassVar[str]
    reads_images: ClassVar[bool] = True
    shares: ClassVar[bool] = False
    steady: ClassVar[bool] = True
    ranks: ClassVar[bool] = True
    incidental: ClassVar[frozenset[str]] = frozenset()
    floor: ClassVar[bool] = False
    heeds: ClassVar[frozenset[str]] = frozenset({"prompt", "format", "max_new_tokens"})
    ways: ClassVar[tuple[str, ...]] = ()
    added: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def generate(self, batch: Sequence[Request]) -> list[Response]:
        """Answers in the same order, one each, to requests with one decoding and without options.

        Those about the same images are adjacent; use that or ignore it. What goes wrong with one request (an unreadable
        image) is a `Response.failure`, never an exception and never text.

        Raises:
            DeviceMemoryError: the batch is too large for the device; the engine comes again with smaller ones.
        """

    def loglikelihood(self, batch: Sequence[Request]) -> list[Response]:
        """Ranks the options of requests that have some: each response has their likelihoods and, as text, the likeliest.

        For models that can tell; a model that only generates keeps this, which fails every request.
        """
        return [Response.failure(f"model {self.name} cannot rank options, it only generates") for _ in batch]

    def respond(self, batch: Sequence[Request]) -> list[Response]:
        """Answers a batch of any requests, in the same order; what the engine calls.

        This one hands requests with options to `loglikelihood` and the others to `generate`, those with the same decoding
        together. A model for which pictures are dear answers all requests about one in one go instead. May raise
        DeviceMemoryError, as `generate` may.
        """
        alike: dict[tuple[bool, Decoding], list[int]] = {}
        for place, request in enumerate(batch):
            alike.setdefault((bool(request.options), request.decoding), []).append(place)
        answered: dict[int, Response] = {}
        for (ranked, _), places in alike.items():
            part = [batch[place] for place in places]
            responses = listed_responses(self, part, self.loglikelihood(part) if ranked else self.generate(part))
            answered.update(zip(places, responses, strict=True))
        return [answered[place] for place in range(len(batch))]

    def reference(self, batch: Sequence[Request]) -> list[Response]:
        """The same requests by an independent path that shares nothing between them: each by itself, as the model's own
        library does it. A run compares some of its answers with these. May raise DeviceMemoryError.
        """
        return [response for request in batch for response in self.respond([request])]

    def prefetch(self, batch: Sequence[Request]) -> None:  # noqa: B027 - a hint that may be ignored
        """A hint: these are asked for soon. Called ahead of `respond`, so that pictures can be decoded in worker threads
        while the model answers other requests. They may never be asked for (Ctrl-C).
        """

    def check_there(self) -> None:  # noqa: B027 - nothing to look for is a fine default
        """Looks whether what the model is read from is on this machine, before any data are. Raises UserError."""

    def load(self) -> None:  # noqa: B027 - nothing to read is a fine default
        """Reads weights, so that mistakes show before the data is touched. Raises UserError."""

    def close(self) -> None:  # noqa: B027 - nothing to give back is a fine default
        """Gives back what was taken for answering, such as a server that was started; called when a run ends, however."""

    def describe(self) -> JsonObject:
        """What decides the answers (weights, dtype, device, versions), for the manifest and for finding a run again.

        A ``dtype`` of ``torch.float32`` says that an answer may not depend on its neighbours at all.
        """
        return {}

    def about(self) -> Mapping[str, str | float]:
        """What tables say beside its name, and what an ablation groups by: ``parameters`` (a number of billions),
        ``language_model``, ``tower``, ``resolution``, ``image_tokens`` and whatever else tells variants apart.
        """
        return {}

    def as_usual(self, way: str) -> bool:
        """Whether an option of `ways` says what the model does without it, too; asked after `load`."""
        return False

    def identity(self, request: Request) -> Hashable:
        """Requests with equal identities are answered once and share the response."""
        return request.identity

    def cost(self, request: Request) -> Cost:
        """Estimated tokens of a request, for filling batches."""
        return Cost(0, 16 + len(request.text) // 4)

    def budget(self) -> int:
        """Tokens that a batch may cost. An adapter that knows its device's memory says so; asked after `load`."""
        return 16384
