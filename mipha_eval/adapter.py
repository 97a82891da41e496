"""What a model author subclasses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mipha_eval.types import Request, Response


@dataclass(frozen=True)
class ModelAdapter(ABC):
    """A model. Subclasses are frozen dataclasses; their fields are the options that ``-a key=value`` sets.

    `reads_images` is false for a model that
    never looks at a picture. Fields called ``device`` and ``dtype`` are also set by ``--device`` and ``--dtype``.
    """

    name: ClassVar[str]
    reads_images: ClassVar[bool] = True

    @abstractmethod
    def generate(self, batch: Sequence[Request]) -> list[Response]:
        """Answers in the same order, one each. Adjacent requests may be about the same images; use that or ignore it.

        What goes wrong with one request (an unreadable image) is a `Response.failure`, never an exception and never text.
        """

    def loglikelihood(self, batch: Sequence[Request]) -> list[Response]:
        """Ranks the options of requests that have some: each response has their likelihoods and, as text, the likeliest.

        For models that can tell; a model that only generates keeps this, which fails every request.
        """
        return [Response.failure(f"model {self.name} cannot rank options, it only generates") for _ in batch]

    def load(self) -> None:  # noqa: B027 - nothing to read is a fine default
        """Reads weights, so that mistakes show before the data is touched. Raises UserError."""

    def describe(self) -> Mapping[str, Any]:
        """What decides the answers (weights, dtype, device, versions), for the manifest and for finding a run again."""
        return {}

    def identity(self, request: Request) -> Hashable:
        """Requests with equal identities are generated once and share the response."""
        return request.identity

    def cost(self, request: Request) -> int:
        """Estimated tokens of a request, for filling batches."""
        return 16 + len(request.text) // 4
