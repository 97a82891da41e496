"""What a run asks, and the batches that any number of workers would get of it. Pure: no model, no files."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from mipha_eval.core.adapter import Cost
from mipha_eval.core.types import Request
from mipha_eval.engine.plan import Limits, by_images, plan_batches
from mipha_eval.engine.work_queue import WorkQueue


@dataclass(frozen=True)
class Batches:
    """Batches in the order in which they are handed out.

    Attributes:
        places: of the requests of each.
        extra: tokens that are computed more than once, since groups were split among workers at the end.
    """

    places: Sequence[Sequence[int]]
    extra: int


@dataclass(frozen=True)
class Workload:
    """Distinct requests, what each costs, and what a batch may hold; the limits may be lowered meanwhile."""

    requests: Sequence[Request]
    costs: Sequence[Cost]
    limits: Limits

    def batches(self, workers: int) -> Batches:
        """What so many workers get; a single one gets what a run in one process asks."""
        if workers == 1:
            costs = {id(request): cost for request, cost in zip(self.requests, self.costs, strict=True)}
            return Batches(list(plan_batches(self.requests, lambda request: costs[id(request)], self.limits)), 0)
        queue = WorkQueue(self.requests, self.costs, self.limits)
        places = []
        while queue:
            places.append(queue.take(workers))
        return Batches(places, queue.extra)

    def tokens(self, places: Sequence[int]) -> int:
        """What a batch costs in which those about the same images are adjacent."""
        groups = itertools.groupby(places, key=self._groups.__getitem__)
        shared = sum(max(self.costs[place].shared for place in group) for _, group in groups)
        return shared + sum(self.costs[place].own for place in places)

    @property
    def total(self) -> int:
        """Tokens of all, what is shared about images counted once."""
        return self.tokens([place for places in by_images(self.requests) for place in places])

    @cached_property
    def _groups(self) -> Sequence[int]:
        """Numbers of the images of each request."""
        numbers = [0] * len(self.requests)
        for number, places in enumerate(by_images(self.requests)):
            for place in places:
                numbers[place] = number
        return numbers
