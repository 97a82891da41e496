"""BatchSource of what is to be answered: planned while the first of them are answered already."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from mipha_eval.cluster.batch import Batch, Kind, Outcome
from mipha_eval.cluster.messages import Done
from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Request
from mipha_eval.engine.attempt import HOPELESS
from mipha_eval.engine.plan import Limits
from mipha_eval.engine.work_queue import WorkQueue

#: requests of which a worker says the costs at a time, about; so few that the first answers are not long in coming
COSTED = 512


class BatchSource:
    """Has workers say what requests cost, and between that answer those of which it is known, the costliest first.

    Were all costs asked for first, a million requests would keep many workers waiting for seconds.

    Attributes:
        queue: what is known.
    """

    def __init__(
        self, requests: Sequence[Request], groups: Iterator[list[int]], limits: Limits, *, probe: bool = False
    ) -> None:
        """Of requests, those whose places are in groups about the same images.

        Args:
            groups: looked at as they are needed.
            probe: whether the first batch is to show whether the model can answer at all.
        """
        self._probe = probe
        self.queue = WorkQueue([], [], limits)
        self.queue.ahead = len(requests)
        self._requests = requests
        self._parts = _parts(groups)
        self._next = next(self._parts, None)
        self._asked: dict[Batch, list[list[int]]] = {}

    def take_costs(self) -> Batch | None:
        if self._next is None:
            return None
        part, self._next = self._next, next(self._parts, None)
        batch = self._batch("cost", [place for places in part for place in places])
        self._asked[batch] = part
        if self._next is None:  # requests that equal others are not ahead
            self.queue.ahead = sum(len(each.places) for each in self._asked)
        return batch

    def take(self, workers: int) -> Batch | None:
        if not self.queue:
            return None
        if self._probe:
            self._probe = False
            places = self.queue.take_cheapest(HOPELESS)
            if places:
                return dataclasses.replace(self._batch("answer", places), probe=True)
        return self._batch("answer", self.queue.take(workers))

    def learn(self, outcome: Outcome) -> None:
        """Takes in what a worker says of costs. Raises UserError if none can say it."""
        if not isinstance(outcome.done, Done):
            raise UserError(f"no worker can say what questions cost: {outcome.done}")
        self.queue.add(self._asked.pop(outcome.batch), dict(zip(outcome.batch.places, outcome.done.costs, strict=True)))

    def __bool__(self) -> bool:
        return self._next is not None or bool(self.queue)

    def _batch(self, kind: Kind, places: Sequence[int]) -> Batch:
        return Batch(kind, places, [self._requests[place] for place in places])


def _parts(groups: Iterator[list[int]]) -> Iterator[list[list[int]]]:
    """Groups of places, so many at a time that they are about `COSTED` requests or more."""
    part: list[list[int]] = []
    count = 0
    for places in groups:
        part.append(places)
        count += len(places)
        if count >= COSTED:
            yield part
            part, count = [], 0
    if part:
        yield part
