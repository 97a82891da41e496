"""Workers that compute nothing: a batch takes the time that a cost model says, and then has answers.

They stand where Ray's actors stand, behind `Cluster`, so that all else of a run is real. `TimerCluster` has them in this
process, without any message; `RayTimers` has all of them in one actor, so that every job and every answer is pickled and
goes through Ray as it does with an actor a worker. As many actors as workers would take the cores from the driver, which
has them for itself where workers are on other nodes.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import pickle
import platform
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bench.cluster_tasks import ANSWERS
from mipha_eval import __version__
from mipha_eval.cluster.cluster import Cluster, Event, PictureRef
from mipha_eval.cluster.messages import AnswerJob, CostJob, Done, FolderJob, Job, Picture, SentRequest, WorkerFacts
from mipha_eval.cluster.packing import packed, unpacked
from mipha_eval.cluster.ray_cluster import RayCluster
from mipha_eval.cluster.settings import ModelOrder, WorkerSettings
from mipha_eval.core.adapter import Cost, ModelAdapter
from mipha_eval.core.model_facts import ModelFacts
from mipha_eval.core.types import Request, Response

#: tokens of a picture and of what stands before the question (LLaVA-1.5: 576 of CLIP at 336 pixels)
PICTURE_TOKENS = 576 + 35
#: tokens around a question's text, and those of its answer
AROUND = 12
#: tokens that a batch may cost
BUDGET = 16_384
#: seconds in which a worker says what a question costs
SECONDS_A_COST = 25e-6
#: of messages, how many are looked at for their size
MEASURED = 20


def tokens_of(text: str) -> int:
    return AROUND + len(text) // 4


@dataclass(frozen=True)
class SimulatedModel(ModelAdapter):
    """What the driver knows of the model."""

    name: ClassVar[str] = "simulated"
    shares: ClassVar[bool] = True

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        return [Response(answer_to(request.text)) for request in batch]

    def budget(self) -> int:
        return BUDGET


def answer_to(text: str) -> str:
    return ANSWERS[zlib.crc32(text.encode()) % len(ANSWERS)]


@dataclass
class Device:
    """When each of many workers is done with what it is asked.

    Attributes:
        rate: tokens a second of a worker.
    """

    rate: float
    _free: dict[int, float] = field(default_factory=dict)

    def begin(self, worker: int, job: Job, now: float) -> tuple[float, float, float]:
        """The moment at which a job that comes now is done, the seconds that it takes, and those without work before."""
        free = self._free.get(worker, now)
        seconds = self._seconds(job)
        self._free[worker] = max(now, free) + seconds
        return self._free[worker], seconds, max(0.0, now - free)

    def _seconds(self, job: Job) -> float:
        match job:
            case CostJob():
                return SECONDS_A_COST * len(job.requests)
            case FolderJob():
                return 0.0
        return job_tokens(job.requests) / self.rate  # type: ignore[attr-defined]


def job_tokens(requests: Sequence[SentRequest]) -> int:
    """Tokens of a batch in which a picture's questions are adjacent."""
    pictures = sum(1 for _ in itertools.groupby(requests, key=lambda each: each.images))
    return pictures * PICTURE_TOKENS + sum(tokens_of(each.text) for each in requests)


def outcome(job: Job, busy: float, waited: float) -> Done:
    """What a worker would say; files of pictures are those of the driver."""
    match job:
        case FolderJob():
            return Done(folders=frozenset(job.files), busy=busy, waited=waited, budget=BUDGET)
        case CostJob():
            costs = [Cost(PICTURE_TOKENS, tokens_of(each.text)) for each in job.requests]
            return Done(costs=costs, busy=busy, waited=waited, budget=BUDGET)
    requests: Sequence[SentRequest] = job.requests  # type: ignore[attr-defined]
    rows = [_row(each.text) for each in requests]
    names = {image.location: image.name for each in requests for image in each.images}
    digests = {location: f"{zlib.crc32(name.encode()):016x}" for location, name in names.items()}
    return Done(rows, digests=digests, busy=busy, waited=waited, budget=BUDGET)


def _row(text: str) -> tuple[object, ...]:
    """A response's values: with the five likeliest first tokens, as models of this suite say them."""
    seed = zlib.crc32(text.encode())
    top = tuple([((seed >> place) & 0x7FFF, ((seed >> place) & 0xFFFF) / 1024) for place in range(5)])
    return answer_to(text), 2, "stop", "", False, (), (), top, (), None


def facts_of(node: str) -> WorkerFacts:
    model = ModelFacts({"device": "simulated"})
    return WorkerFacts(model, BUDGET, node, node, "simulated", 1.0, __version__, platform.python_version(), {})


@dataclass
class Traffic:
    """Sizes of what goes to workers and comes back, of every so many messages with questions."""

    jobs: int = 0
    questions: int = 0
    measured: int = 0
    sent: int = 0
    received: int = 0

    def note(self, job: Job) -> bool:
        """Counts a job; whether its answer is to be measured."""
        if not isinstance(job, AnswerJob):
            return False
        self.jobs += 1
        if self.jobs % MEASURED:
            return False
        self.questions += len(job.requests)
        self.sent += len(packed(job))
        self.received += len(pickle.dumps(outcome(job, 0.0, 0.0), protocol=5))
        return True


class TimerCluster(Cluster):
    """Workers of this process: a thread that says when something is done."""

    def __init__(self, workers: int, rate: float) -> None:
        super().__init__()
        self.traffic = Traffic()
        self._workers, self._device = workers, Device(rate)
        self._due: list[tuple[float, int, int, Job, float, float]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._closed = False

    def connect(self) -> None:
        threading.Thread(target=self._tell, name="timers", daemon=True).start()

    def room(self) -> int:
        return self._workers

    def start(self, worker: int) -> None:
        self._events.put(Event(worker, None, facts_of("here")))

    def send(self, worker: int, job: Job, pictures: Mapping[str, PictureRef]) -> None:
        self.traffic.note(job)
        due, busy, waited = self._device.begin(worker, job, time.monotonic())
        with self._changed:
            heapq.heappush(self._due, (due, next(self._order), worker, job, busy, waited))
            self._changed.notify()

    def put(self, picture: Picture) -> PictureRef:
        return picture

    def kill(self, worker: int) -> None:
        """None hangs."""

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _tell(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._due or self._due[0][0] > time.monotonic()):
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._closed:
                    return
                _, _, worker, job, busy, waited = heapq.heappop(self._due)
            self._events.put(Event(worker, job.number, outcome(job, busy, waited)))


class Host:
    """An actor with many workers, each of which does one thing after the other."""

    def __init__(self, rate: float) -> None:
        self._device = Device(rate)

    async def do(self, worker: int, packed_job: bytes, locations: Sequence[str], *pictures: Picture) -> Done:
        job = unpacked(packed_job)
        due, busy, waited = self._device.begin(worker, job, time.monotonic())
        done = outcome(job, busy, waited)
        await asyncio.sleep(due - time.monotonic())
        return done

    async def facts(self, worker: int) -> WorkerFacts:
        return facts_of("host")


class RayTimers(RayCluster):
    """Workers in one actor of Ray."""

    def __init__(self, workers: int, rate: float) -> None:
        super().__init__(ModelOrder("simulated"), WorkerSettings(workers, gpus=0.0), on_cpu=True)
        self.traffic = Traffic()
        self._workers, self._rate = workers, rate
        self._host: Any = None

    def connect(self) -> None:
        super().connect()
        import ray

        remote: Any = ray.remote
        self._host = remote(num_cpus=1, max_concurrency=4 * self._workers)(Host).remote(self._rate)

    def start(self, worker: int) -> None:
        loaded = self._host.facts.remote(worker)
        self._listen(loaded, lambda facts: self._events.put(Event(worker, None, facts)), worker, None)

    def send(self, worker: int, job: Job, pictures: Mapping[str, PictureRef]) -> None:
        self.traffic.note(job)
        reply = self._host.do.remote(worker, packed(job), [*pictures], *pictures.values())
        self._listen(reply, lambda done: self._events.put(Event(worker, job.number, done)), worker, job.number)

    def kill(self, worker: int) -> None:
        """None hangs."""
