"""Our queue beside fixed shares by rank, on one cost model, in virtual time: nothing is computed and nothing waits.

Fixed shares are what suites do that are started once a GPU: questions are dealt out before the first is answered,
round-robin or in blocks, padded to equally many, and answered in batches of so many in the order of the data, each with its
own encoding of its picture. The last line of them shares pictures within a batch, so that what the queue does shows apart
from that.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cluster_tasks import SHAPES, question
from bench.simulated_workers import BUDGET, PICTURE_TOKENS, tokens_of
from mipha_eval.core.adapter import Cost
from mipha_eval.core.data_source import ImageFolder
from mipha_eval.core.types import Request
from mipha_eval.engine.plan import Limits
from mipha_eval.engine.work_queue import WorkQueue

#: questions of a fixed batch: as many as fill the same budget where each has a picture of its own
FIXED = BUDGET // (PICTURE_TOKENS + 32)
#: questions of the costly part of a set whose costs vary, and tokens that each has more, as those with a text read from
#: the picture have
COSTLY, MORE = 0.2, 400

#: a device's tokens a second -> seconds until all is done
Shares = Callable[[Sequence["Asked"], Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: its picture's number, and the tokens that it needs beside the picture's."""

    picture: int
    own: int


@dataclass(frozen=True)
class Scenario:
    """What is unequal: how fast workers are, as a share of the usual, and whether a fifth of the questions costs more."""

    name: str
    slowest: float = 1.0
    varied: bool = False


SCENARIOS = (
    Scenario("all alike"),
    Scenario("one worker at half speed", 0.5),
    Scenario("a fifth of the set is costly", 1.0, True),
)


def made(shape: str, questions: int, *, varied: bool) -> list[Asked]:
    """Questions in the order of the data; the costly ones stand together, as those of one task of several do."""
    rng = random.Random(0)
    count, _ = SHAPES[shape]
    found: list[Asked] = []
    for picture in itertools.count():
        if len(found) >= questions:
            return found[:questions]
        for _ in range(count(rng)):
            more = MORE if varied and len(found) >= questions * (1 - COSTLY) else 0
            found.append(Asked(picture, tokens_of(question(rng, len(found))) + more))
    return found


def queue(asked: Sequence[Asked], speeds: Sequence[float]) -> float:
    """Ours: the run's own planner; each worker has its next batch while it computes the last one."""
    images = ImageFolder(Path("pictures"))
    requests = [Request(str(number), (images.image(str(each.picture)),)) for number, each in enumerate(asked)]
    plan = WorkQueue(requests, [Cost(PICTURE_TOKENS, each.own) for each in asked], Limits(BUDGET))

    def seconds(worker: int) -> float:
        batch = [asked[place] for place in plan.take(len(speeds))]
        return shared_tokens(batch) / speeds[worker]

    following = [seconds(worker) for worker in range(len(speeds))]
    free = [(0.0, worker) for worker in range(len(speeds))]
    ended = 0.0
    while free:
        now, worker = heapq.heappop(free)
        ended = max(ended, now)
        if following[worker]:
            heapq.heappush(free, (now + following[worker], worker))
            following[worker] = seconds(worker)
    return ended


def round_robin(asked: Sequence[Asked], speeds: Sequence[float]) -> float:
    return slowest([asked[rank :: len(speeds)] for rank in range(len(speeds))], speeds, padded_tokens)


def blocks(asked: Sequence[Asked], speeds: Sequence[float]) -> float:
    return slowest(cut(asked, len(speeds)), speeds, padded_tokens)


def blocks_that_share(asked: Sequence[Asked], speeds: Sequence[float]) -> float:
    """Blocks whose batches have as many questions as ours have, and encode a picture once."""
    return slowest(cut(asked, len(speeds)), speeds, shared_tokens)


WAYS: dict[str, Shares] = {
    "one queue": queue,
    "round-robin": round_robin,
    "blocks": blocks,
    "blocks, pictures shared": blocks_that_share,
}


def cut(asked: Sequence[Asked], ranks: int) -> list[Sequence[Asked]]:
    size = -(-len(asked) // ranks)
    return [asked[at : at + size] for at in range(0, size * ranks, size)]


def slowest(shares: Sequence[Sequence[Asked]], speeds: Sequence[float], tokens: Callable[[Sequence[Asked]], int]) -> float:
    """Seconds of the slowest rank; shorter shares are padded with their own first questions."""
    longest = max(map(len, shares))
    even = [[*share, *itertools.islice(itertools.cycle(share or shares[0]), longest - len(share))] for share in shares]
    size = FIXED if tokens is padded_tokens else BUDGET // (PICTURE_TOKENS // 5 + 32)
    return max(
        sum(tokens(batch) for batch in batches(share, size)) / speed for share, speed in zip(even, speeds, strict=True)
    )


def batches(share: Sequence[Asked], size: int) -> Iterator[Sequence[Asked]]:
    return (share[at : at + size] for at in range(0, len(share), size))


def padded_tokens(batch: Sequence[Asked]) -> int:
    """Of a batch whose questions are encoded one by one, and padded to the longest."""
    return len(batch) * (PICTURE_TOKENS + max(each.own for each in batch))


def shared_tokens(batch: Sequence[Asked]) -> int:
    """Of a batch whose pictures are encoded once."""
    return PICTURE_TOKENS * len({each.picture for each in batch}) + sum(each.own for each in batch)


def table(shape: str, questions: int, workers: int, rate: float) -> Iterator[str]:
    """Lines of Markdown: of each way and scenario the seconds, and the share of the time that nobody could be below."""
    yield "| | " + " | ".join(f"{each.name}: s" + " | of the best" for each in SCENARIOS) + " |"
    yield "|---" * (1 + 2 * len(SCENARIOS)) + "|"
    sets = {varied: made(shape, questions, varied=varied) for varied in (False, True)}
    for name, way in WAYS.items():
        cells = []
        for scenario in SCENARIOS:
            asked = sets[scenario.varied]
            speeds = [rate * (scenario.slowest if worker == 0 else 1.0) for worker in range(workers)]
            taken = way(asked, speeds)
            cells += [f"{taken:.1f}", f"{shared_tokens(asked) / sum(speeds) / taken:.1%}"]
        yield f"| {name} | " + " | ".join(cells) + " |"
