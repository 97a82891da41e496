"""Which requests travel together. Pure: no model, no files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mipha_eval.adapter import Cost
from mipha_eval.types import Request


def plan_batches(
    requests: Sequence[Request], cost: Callable[[Request], Cost], budget: int, size: int | None = None
) -> Iterator[list[Request]]:
    """Orders requests and cuts them into batches.

    Requests about the same images stay adjacent, image by image in the order they first appear, and in one batch if one can
    hold them all, so that an image is encoded once. Within an image the costliest comes first, so that what is padded is of
    similar length.

    Args:
        cost: tokens of a request.
        budget: tokens of a batch, what is shared about an image counted once; a request that costs more travels alone.
        size: requests of a batch at most.
    """
    by_images: dict[tuple[str, ...], list[Request]] = {}
    for request in requests:
        by_images.setdefault(tuple([image.location for image in request.images]), []).append(request)
    batch: list[Request] = []
    spent = 0
    for group in by_images.values():
        costs = {id(request): cost(request) for request in group}
        group.sort(key=lambda request: costs[id(request)].own, reverse=True)
        shared = max(price.shared for price in costs.values())
        whole = shared + sum(price.own for price in costs.values())
        fits_alone = whole <= budget and (size is None or len(group) <= size)
        fits_here = spent + whole <= budget and (size is None or len(batch) + len(group) <= size)
        fresh = bool(batch) and fits_alone and not fits_here
        for place, request in enumerate(group):
            own = costs[id(request)].own
            price = own + (0 if place else shared)
            if batch and (fresh or spent + price > budget or len(batch) == size):
                yield batch
                batch, spent, fresh, price = [], 0, False, own + shared
            batch.append(request)
            spent += price
    if batch:
        yield batch
