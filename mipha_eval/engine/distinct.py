"""Which requests are asked: one of each that are equal, and none whose response is known."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.plugins.checks.models import identity_of
from mipha_eval.core.types import Request, Response
from mipha_eval.engine.plan import by_images

IndexedResponses = list[tuple[int, Response]]


class Distinct:
    """Requests of which some are equal by what the adapter says of their identity.

    Attributes:
        ready: (place, response) of those sorted out so far whose response is known.

    Args:
        known: responses from before, by identity.
    """

    def __init__(self, adapter: ModelAdapter, requests: Sequence[Request], known: Mapping[Hashable, Response]) -> None:
        self.ready: IndexedResponses = []
        self._adapter, self._requests, self._known = adapter, requests, known
        self._equals: dict[int, list[int]] = {}

    def sort_out(self, places: Iterable[int] | None = None) -> list[int]:
        """Of these places, or of all, those to ask; a request is taken for equal to those of the same call alone."""
        firsts: dict[Hashable, int] = {}
        for place in range(len(self._requests)) if places is None else places:
            request = self._requests[place]
            same = self._adapter.identity(request)
            try:
                if self._known and same in self._known:
                    self.ready.append((place, self._known[same].repeated))
                    continue
                first = firsts.setdefault(same, place)
            except TypeError:  # hashing it is most of the time, and is not done twice
                identity_of(self._adapter, request)
                raise
            if first != place:
                self._equals.setdefault(first, []).append(place)
        return list(firsts.values())

    def groups(self) -> Iterator[list[int]]:
        """Places to ask, those about the same images together.

        Requests are sorted out as their group comes, so that the first of a million are asked before the last are looked
        at; all before the first group where equal ones may be about different images, or some are known.
        """
        if not self._known and _is_of_images(self._adapter):
            yield from filter(None, map(self.sort_out, by_images(self._requests)))
            return
        places = self.sort_out()
        for numbers in by_images([self._requests[place] for place in places]):
            yield [places[number] for number in numbers]

    def spread(self, answered: IndexedResponses) -> IndexedResponses:
        """(Place, response) of what was answered, and of all that equals it."""
        spread: IndexedResponses = []
        for place, response in answered:
            spread.append((place, response))
            spread += [(equal, response.repeated) for equal in self._equals.get(place, ())]
        return spread


def _is_of_images(adapter: ModelAdapter) -> bool:
    """Whether equal requests are about the same images: an adapter's own identity may leave images out."""
    return type(adapter).identity is ModelAdapter.identity
