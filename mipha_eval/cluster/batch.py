"""What is handed to workers, from its first sending to its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from mipha_eval.cluster.messages import AnswerJob, CostJob, Job, ReferenceJob, SentRequest
from mipha_eval.core.types import Request

#: workers that a batch may cost before its questions are asked one by one
MOST_DEATHS = 3
#: workers that a question may cost that is asked alone behind such a batch
MOST_DEATHS_ALONE = 2

Kind = Literal["answer", "reference", "cost"]


@dataclass(eq=False)
class Batch:
    """Requests that a worker gets together.

    Attributes:
        places: of the requests, among those that are asked.
        deaths: workers that ended over it.
        reason: why the last one did.
        alone: whether it is a question of a batch that cost several workers.
        sent_on: locations of pictures whose files are not where they should be, so that the driver sends them.
    """

    kind: Kind
    places: Sequence[int]
    requests: Sequence[Request]
    deaths: int = 0
    reason: str = ""
    alone: bool = False
    sent_on: set[str] = field(default_factory=set)

    @property
    def suspect(self) -> bool:
        """Whether it may be what its workers ended of; it then gets one to itself, so that nothing else is suspected."""
        return self.alone or self.deaths > 0

    @property
    def hopeless(self) -> bool:
        """Whether it is not to be tried again as it is."""
        return self.deaths >= (MOST_DEATHS_ALONE if self.alone else MOST_DEATHS)

    def job(self, number: int, requests: Sequence[SentRequest], *, trusted: bool = False) -> Job:
        """`trusted` is whether some worker has answered something."""
        if self.kind == "answer":
            return AnswerJob(number, requests, trusted)
        return ReferenceJob(number, requests) if self.kind == "reference" else CostJob(number, requests)

    def one_by_one(self) -> list[Batch]:
        """Each of its questions for itself."""
        pairs = zip(self.places, self.requests, strict=True)
        return [Batch(self.kind, [place], [request], reason=self.reason, alone=True) for place, request in pairs]
