"""Runs a model over requests."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from mipha_eval.adapter import ModelAdapter
from mipha_eval.engine.plan import plan_batches
from mipha_eval.types import Request, Response

Answered = list[tuple[int, Response]]


@dataclass
class Engine:
    """Generates each distinct request once.

    Attributes:
        batch_size: requests a batch at most; None leaves it to the token budget.
        budget: tokens a batch may cost; None asks the adapter.
        stop: asked between batches; true ends the run early with everything so far delivered.
        known: responses by request identity, shared between tasks.
    """

    adapter: ModelAdapter
    batch_size: int | None = None
    budget: int | None = None
    stop: Callable[[], bool] = lambda: False
    known: dict[Hashable, Response] = field(default_factory=dict)

    def run(self, requests: Sequence[Request]) -> Iterator[Answered]:
        """Yields (index of request, response) as batches finish; all requests of one identity get its response."""
        owners: dict[Hashable, list[int]] = {}
        for index, request in enumerate(requests):
            owners.setdefault(self.adapter.identity(request), []).append(index)
        ready = [(index, self.known[same]) for same, indices in owners.items() if same in self.known for index in indices]
        if ready:
            yield ready
        todo = [requests[indices[0]] for same, indices in owners.items() if same not in self.known]
        budget = self.adapter.budget() if self.budget is None else self.budget
        for batch in plan_batches(todo, self.adapter.cost, budget, self.batch_size):
            if self.stop():
                return
            responses = self.adapter.answer(batch)
            if len(responses) != len(batch):
                raise RuntimeError(f"{self.adapter.name} answered {len(responses)} of {len(batch)} requests")
            answered: Answered = []
            for request, response in zip(batch, responses, strict=True):
                same = self.adapter.identity(request)
                if not response.error:
                    self.known[same] = response
                answered += [(index, response) for index in owners[same]]
            yield answered
