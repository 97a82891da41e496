"""A model that has many requests under way at a time, such as one behind a server."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.types import Request, Response


@dataclass(frozen=True)
class StreamingAdapter(ModelAdapter):
    """Answers come one by one, in any order, and each is stored as it comes: what was answered is never asked again."""

    @abstractmethod
    def stream(self, requests: Sequence[Request], stop: Callable[[], bool]) -> Iterator[tuple[int, Response]]:
        """Yields (place in `requests`, response) as answers come; begins with the first requests.

        Once `stop` is true nothing further is asked; what is under way still comes to its end. May end early for reasons of
        its own, which it tells through logging. What goes wrong with one request is a `Response.failure`.

        Raises:
            UserError: nothing was answered, and nothing will be.
        """

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        answered = dict(self.stream(batch, lambda: False))
        return [answered.get(place, Response.failure("not asked")) for place in range(len(batch))]
