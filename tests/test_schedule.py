"""When workers are done: by arithmetic, by a clock that ticks, and by the dispatcher itself."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from mipha_eval.cluster.batch import Batch
from mipha_eval.cluster.crew import Crew
from mipha_eval.cluster.dispatcher import Dispatcher
from mipha_eval.cluster.schedule import Schedule, schedule
from mipha_eval.core.types import Request
from tests.virtual_cluster import VirtualCluster


def ticking(batches: Sequence[int], workers: int) -> int:
    """Seconds until all is done, second by second: each worker has one at work and one that waits, and keeps both."""
    left, now = list(batches), 0
    at_work, next_one = [0] * workers, [0] * workers
    while True:
        for worker in range(workers):
            if not at_work[worker]:
                at_work[worker], next_one[worker] = next_one[worker], 0
        for worker in range(workers):
            if not at_work[worker] and left:
                at_work[worker] = left.pop(0)
        for worker in range(workers):
            if not next_one[worker] and left:
                next_one[worker] = left.pop(0)
        if not any(at_work):
            return now
        at_work = [max(each - 1, 0) for each in at_work]
        now += 1


def dispatched(batches: Sequence[int], workers: int) -> float:
    """The same by what hands out the batches of a run."""
    cluster = VirtualCluster()
    dispatcher = Dispatcher(cluster, Crew(cluster, workers, 1e9, lambda *_: None))
    dispatcher.begin(1e9)
    source = Listed(batches)
    assert len(list(dispatcher.run(source, lambda: False))) == len(batches)
    return cluster.now


class Listed:
    """Batches that are there already."""

    def __init__(self, seconds: Sequence[int]) -> None:
        self._left = [Batch("answer", [place], [Request(str(each))]) for place, each in enumerate(seconds)]

    def take_costs(self) -> None:
        """All are known."""

    def take(self, workers: int) -> Batch:
        return self._left.pop(0)

    def __bool__(self) -> bool:
        return bool(self._left)


@pytest.mark.parametrize("workers", [1, 2, 3, 8, 100])
@pytest.mark.parametrize("batches", [0, 1, 7, 8, 64])
def test_equal_batches(workers: int, batches: int) -> None:
    found = schedule([2.5] * batches, workers)
    assert found == Schedule(2.5 * math.ceil(batches / workers), 2.5 * batches)


def test_any_batches() -> None:
    rng = random.Random(0)
    for _ in range(200):
        workers = rng.randrange(1, 8)
        batches = [rng.randrange(1, 12) for _ in range(rng.randrange(1, 40))]
        batches = sorted(batches, reverse=True) if rng.random() < 0.5 else batches
        found = schedule(batches, workers)
        assert found.seconds == ticking(batches, workers), (batches, workers)
        assert found.busy == sum(batches)


def test_it_is_what_the_dispatcher_does() -> None:
    rng = random.Random(1)
    for _ in range(50):
        workers = rng.randrange(1, 8)
        batches = [rng.randrange(1, 12) for _ in range(rng.randrange(1, 40))]
        assert schedule(batches, workers).seconds == dispatched(batches, workers), (batches, workers)


def test_a_worker_keeps_what_it_has() -> None:
    """The third batch waits behind the first, though the second worker is free long before."""
    assert schedule([10, 1, 5], 2).seconds == 15
