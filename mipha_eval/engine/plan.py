"""Which requests travel together. Pure: no model, no files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mipha_eval.core.adapter import Cost
from mipha_eval.core.types import Request


@dataclass
class Limits:
    """What a batch may hold; may be lowered while a plan is carried out.

    Attributes:
        budget: tokens, what is shared about an image counted once; a request that costs more travels alone.
        size: requests; None for any number.
        lowered: whether the budget has been lowered.
    """

    budget: int
    size: int | None = None
    lowered: bool = False

    def lower(self, budget: int) -> None:
        self.budget, self.lowered = min(self.budget, budget), True

    def hold(self, tokens: int, requests: int) -> bool:
        return tokens <= self.budget and (self.size is None or requests <= self.size)


def plan_batches(requests: Sequence[Request], cost: Callable[[Request], Cost], limits: Limits) -> Iterator[list[int]]:
    """Orders requests and cuts them into batches, each a list of places in `requests`.

    Requests about the same images stay adjacent, image by image in the order they first appear, and in one batch if one can
    hold them all, so that an image is encoded once. Within an image the costliest comes first, so that what is padded is of
    similar length.
    """
    batch: list[int] = []
    spent = 0
    for places in by_images(requests):
        costs = [cost(requests[place]) for place in places]
        shared = max(price.shared for price in costs)
        whole = shared + sum(price.own for price in costs)
        together = limits.hold(whole, len(places)) and not limits.hold(spent + whole, len(batch) + len(places))
        if batch and together:
            yield batch
            batch, spent = [], 0
        paid = 0  # tokens of this image that the batch has paid for
        for own, place in sorted(((price.own, place) for price, place in zip(costs, places, strict=True)), key=_costliest):
            if batch and not limits.hold(spent + shared - paid + own, len(batch) + 1):
                yield batch
                batch, spent, paid = [], 0, 0
            batch.append(place)
            spent, paid = spent + shared - paid + own, shared
    if batch:
        yield batch


def price(batch: Sequence[Request], cost: Callable[[Request], Cost]) -> int:
    """Tokens of a batch whose requests about the same images are adjacent."""
    costs = [cost(request) for request in batch]
    return sum(each.own for each in costs) + sum(costs[place].shared for place in _beginnings(batch))


def halves(batch: Sequence[Request]) -> tuple[Sequence[Request], Sequence[Request]]:
    """Cuts a batch of two or more in two, between images where there are several, as near to the middle as may be."""
    middle = len(batch) / 2
    cut = min(_beginnings(batch)[1:] or [len(batch) // 2], key=lambda place: abs(place - middle))
    return batch[:cut], batch[cut:]


def by_images(requests: Sequence[Request]) -> Iterator[list[int]]:
    """Places of the requests about the same images, in the order the images first appear."""
    numbers: dict[tuple[str, ...], int] = {}
    number_of = [numbers.setdefault(_views(request), len(numbers)) for request in requests]
    numbers.clear()  # a million of them are memory that nobody needs while the plan is carried out
    order = sorted(range(len(requests)), key=number_of.__getitem__)  # all but in order already
    for _, places in itertools.groupby(order, key=number_of.__getitem__):
        yield list(places)


def _beginnings(batch: Sequence[Request]) -> list[int]:
    """Places where a request about other images follows, the first among them."""
    pictures = [_views(request) for request in batch]
    return [place for place, images in enumerate(pictures) if not place or images != pictures[place - 1]]


def _views(request: Request) -> tuple[str, ...]:
    return tuple([image.view for image in request.images])


def _costliest(entry: tuple[int, int]) -> int:
    return -entry[0]
