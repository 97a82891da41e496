"""Which requests travel together. Pure: no model, no files."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

from mipha_eval.types import Request


def plan_batches(
    requests: Sequence[Request], cost: Callable[[Request], int], budget: int, size: int | None = None
) -> Iterator[list[Request]]:
    """Orders requests and cuts them into batches.

    Requests that generate and requests that rank options never share a batch. Those of the same kind and images stay
    adjacent, image by image in the order they first appear, and in one batch if one can hold them all, so that an image is
    encoded once. Within an image the costliest comes first, so that what is padded is of similar length.

    Args:
        cost: tokens of a request.
        budget: tokens of a batch; a request that costs more travels alone.
        size: requests of a batch at most.
    """
    by_image: dict[tuple[Hashable, tuple[str, ...]], list[Request]] = {}
    for request in requests:
        place = (_manner(request), tuple(image.location for image in request.images))
        by_image.setdefault(place, []).append(request)
    batch: list[Request] = []
    spent, manner = 0, None
    for group in by_image.values():
        ordered = sorted(group, key=cost, reverse=True)
        whole = sum(map(cost, ordered))
        fits_alone = whole <= budget and (size is None or len(group) <= size)
        fits_here = spent + whole <= budget and (size is None or len(batch) + len(group) <= size)
        fresh = bool(batch) and ((fits_alone and not fits_here) or _manner(ordered[0]) != manner)
        for request in ordered:
            price = cost(request)
            if batch and (fresh or spent + price > budget or len(batch) == size):
                yield batch
                batch, spent, fresh = [], 0, False
            batch.append(request)
            spent, manner = spent + price, _manner(request)
    if batch:
        yield batch


def _manner(request: Request) -> Hashable:
    """What requests of one batch must have in common."""
    return bool(request.options), request.decoding
