"""Runs a model over requests."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.plugins.checks.models import checked_budget
from mipha_eval.core.plugins.checks.responses import checked_responses
from mipha_eval.core.streaming_adapter import StreamingAdapter
from mipha_eval.core.types import Request, Response
from mipha_eval.engine.attempt import Attempts
from mipha_eval.engine.distinct import Distinct, IndexedResponses
from mipha_eval.engine.plan import Limits, plan_batches

logger = logging.getLogger(__name__)

AHEAD = 2  # batches that an adapter hears of before it is asked for them


@dataclass
class Engine:
    """Asks for each distinct request once.

    Attributes:
        batch_size: requests a batch at most; None leaves it to the token budget.
        budget: tokens a batch may cost; None asks the adapter.
        stop: asked between batches; true ends the run early with everything so far delivered.
        known: responses from before, by request identity; these are not asked for.
    """

    adapter: ModelAdapter
    batch_size: int | None = None
    budget: int | None = None
    stop: Callable[[], bool] = lambda: False
    known: Mapping[Hashable, Response] = field(default_factory=dict)

    def run(self, requests: Sequence[Request]) -> Iterator[IndexedResponses]:
        """Yields (place of request, response) as batches finish; all requests of one identity get its response."""
        distinct = Distinct(self.adapter, requests, self.known)
        asked = distinct.sort_out()
        if distinct.ready:
            yield distinct.ready
        limits = Limits(checked_budget(self.adapter) if self.budget is None else self.budget, self.batch_size)
        attempts = Attempts(self.adapter, limits)
        todo = [requests[place] for place in asked]
        logger.debug("%d requests, %d to answer, batches of up to %d tokens", len(requests), len(todo), limits.budget)
        for places in announced(plan_batches(todo, attempts.cost, limits), todo, attempts):
            if self.stop():
                return
            for answered in self._answered(attempts, places, todo):
                yield distinct.spread([(asked[number], response) for number, response in answered])

    def _answered(self, attempts: Attempts, places: Sequence[int], todo: Sequence[Request]) -> Iterator[IndexedResponses]:
        """(place in `todo`, response) of a batch: all of it at once, or one by one as they come."""
        batch = [todo[place] for place in places]
        if not isinstance(self.adapter, StreamingAdapter):
            yield list(zip(places, attempts.answer(batch), strict=True))
            return
        for place, response in self.adapter.stream(batch, self.stop):
            checked = checked_responses(self.adapter, batch[place : place + 1], [response])
            yield [(places[place], checked[0])]


def announced(plan: Iterator[list[int]], requests: Sequence[Request], attempts: Attempts) -> Iterator[list[int]]:
    """The batches of a plan, each after the adapter has heard of the next ones."""
    waiting: deque[list[int]] = deque()
    for places in plan:
        attempts.prefetch([requests[place] for place in places])
        waiting.append(places)
        if len(waiting) > AHEAD:
            yield waiting.popleft()
    yield from waiting
