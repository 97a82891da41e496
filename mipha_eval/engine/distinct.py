"""Which requests are asked: one of each that are equal, and none whose response is known."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.plugins.checks.models import identity_of
from mipha_eval.core.types import Request, Response

IndexedResponses = list[tuple[int, Response]]


@dataclass
class Distinct:
    """Requests of which some are equal.

    Attributes:
        places: of those to ask.
        ready: (place, response) of those whose response is known.
    """

    places: list[int] = field(default_factory=list)
    ready: IndexedResponses = field(default_factory=list)
    _equals: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, adapter: ModelAdapter, requests: Sequence[Request], known: Mapping[Hashable, Response]) -> Distinct:
        """Sorts requests out by what the adapter says of their identity; `known` has responses from before by that."""
        found, firsts = cls(), dict[Hashable, int]()
        for place, request in enumerate(requests):
            same = adapter.identity(request)
            try:
                if known and same in known:
                    found.ready.append((place, known[same].repeated))
                    continue
                first = firsts.setdefault(same, place)
            except TypeError:  # hashing it is most of the time, and is not done twice
                identity_of(adapter, request)
                raise
            if first != place:
                found._equals.setdefault(first, []).append(place)
        found.places = list(firsts.values())
        return found

    def spread(self, answered: IndexedResponses) -> IndexedResponses:
        """(Place among all requests, response) of (place in `places`, response): all equal requests get it."""
        spread: IndexedResponses = []
        for number, response in answered:
            place = self.places[number]
            spread.append((place, response))
            spread += [(equal, response.repeated) for equal in self._equals.get(place, ())]
        return spread
