"""Which worker is done when, in virtual time. Pure: no workers."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from mipha_eval.cluster.member import AHEAD


@dataclass(frozen=True)
class Schedule:
    """What workers did.

    Attributes:
        seconds: until the last one was done.
        busy: seconds that all of them together computed.
    """

    seconds: float
    busy: float


def schedule(batches: Iterable[float], workers: int) -> Schedule:
    """Hands batches to workers in their order, as `Dispatcher` does where nothing dies.

    A worker has one that it computes and the next one; what it has, it keeps. Nobody gets a second one while another has
    none.

    Args:
        batches: seconds of each.
    """
    waiting = deque(batches)
    busy = sum(waiting)
    at_work: list[tuple[float, int]] = []
    tasks: list[deque[float]] = [deque() for _ in range(min(workers, len(waiting)))]  # the others never get one
    free, now = list(range(len(tasks))), 0.0
    while True:
        for depth in range(AHEAD):
            for worker in free:
                if waiting and len(tasks[worker]) == depth:
                    tasks[worker].append(waiting.popleft())
        for worker in free:
            if tasks[worker]:
                heapq.heappush(at_work, (now + tasks[worker][0], worker))
        if not at_work:
            return Schedule(now, busy)
        now, free = at_work[0][0], []
        while at_work and at_work[0][0] == now:
            free.append(heapq.heappop(at_work)[1])
            tasks[free[-1]].popleft()
