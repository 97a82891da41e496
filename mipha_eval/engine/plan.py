"""Which requests travel together. Pure: no model, no files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mipha_eval.types import Request


def plan_batches(
    requests: Sequence[Request], cost: Callable[[Request], int], budget: int, size: int | None = None
) -> Iterator[list[Request]]:
    """Orders requests and cuts them into batches.

    Requests with the same decoding and images stay adjacent, image by image in the order they first appear; within an
    image the costliest comes first, so that what is padded is of similar length.

    Args:
        cost: tokens of a request.
        budget: tokens of a batch; a request that costs more travels alone.
        size: requests of a batch at most.
    """
    by_image: dict[tuple[int, tuple[str, ...]], list[Request]] = {}
    for request in requests:
        place = (request.decoding.max_new_tokens, tuple(image.location for image in request.images))
        by_image.setdefault(place, []).append(request)
    batch: list[Request] = []
    spent, decoding = 0, None
    for group in by_image.values():
        for request in sorted(group, key=cost, reverse=True):
            price = cost(request)
            full = spent + price > budget or len(batch) == size or request.decoding != decoding
            if batch and full:
                yield batch
                batch, spent = [], 0
            batch.append(request)
            spent, decoding = spent + price, request.decoding
    if batch:
        yield batch
