"""What is handed to workers, from its first sending to its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from mipha_eval.cluster.messages import AnswerJob, CostJob, Done, Job, ReferenceJob, SentRequest
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
        lost_nodes: that went with some of them; a node takes all of its workers along, and counts as one.
        probe: whether it is of the cheapest questions, which show first whether the model can answer at all.
        alone: whether it is a question of a batch that cost several workers.
        sent_on: locations of pictures whose files are not where they should be, so that the driver sends them.
    """

    kind: Kind
    places: Sequence[int]
    requests: Sequence[Request]
    deaths: int = 0
    reason: str = ""
    lost_nodes: set[str] = field(default_factory=set)
    alone: bool = False
    probe: bool = False
    sent_on: set[str] = field(default_factory=set)

    @property
    def suspect(self) -> bool:
        """Whether it may be what its workers ended of; it then gets one to itself, so that nothing else is suspected."""
        return self.alone or self.deaths > 0

    @property
    def hopeless(self) -> bool:
        """Whether it is not to be tried again as it is."""
        return self.deaths >= (MOST_DEATHS_ALONE if self.alone else MOST_DEATHS)

    def blame(self, reason: str, lost_node: str) -> None:
        """Counts a worker that ended over it.

        Args:
            lost_node: the node that is gone with it; "" where only the worker is.
        """
        self.deaths += not lost_node or lost_node not in self.lost_nodes
        self.lost_nodes.add(lost_node)
        self.reason = reason

    def job(self, number: int, requests: Sequence[SentRequest], *, trusted: bool = False) -> Job:
        """`trusted` is whether some worker has answered something."""
        if self.kind == "answer":
            return AnswerJob(number, requests, trusted)
        return ReferenceJob(number, requests) if self.kind == "reference" else CostJob(number, requests)

    def one_by_one(self) -> list[Batch]:
        """Each of its questions for itself."""
        pairs = zip(self.places, self.requests, strict=True)
        return [Batch(self.kind, [place], [request], reason=self.reason, alone=True) for place, request in pairs]


class Source(Protocol):
    """Where batches come from; true while there are more."""

    def take_costs(self) -> Batch | None:
        """Requests of which a worker is to say the costs."""

    def take(self, workers: int) -> Batch | None:
        """The next batch to answer, for one of so many workers; None where no more costs are known yet."""

    def __bool__(self) -> bool: ...


class Nothing:
    """A source without a batch."""

    def take_costs(self) -> Batch | None:
        return None

    def take(self, workers: int) -> Batch | None:
        return None

    def __bool__(self) -> bool:
        return False


class Outcome(NamedTuple):
    """What came of a batch.

    Attributes:
        worker: the number of the one that did it; None where nobody could.
        done: a text says why nobody could.
    """

    batch: Batch
    worker: int | None
    done: Done | str
