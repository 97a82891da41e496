"""Workers that are numbers: what each is sent takes as many seconds of a virtual clock as its first question says."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from mipha_eval import __version__
from mipha_eval.cluster.cluster import Cluster, Event, PictureRef
from mipha_eval.cluster.messages import AnswerJob, Done, Job, Picture, WorkerFacts
from mipha_eval.cluster.worker_model import values_of
from mipha_eval.core.model_facts import ModelFacts
from mipha_eval.core.types import Response

FACTS = WorkerFacts(ModelFacts(), 100, "here", "node", "cpu", 0.0, __version__, "3", {})


class VirtualCluster(Cluster):
    """`now` is the time of the last event."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._free: dict[int, float] = {}
        self._coming: list[tuple[float, int, int]] = []

    def connect(self) -> None:
        pass

    def room(self) -> int:
        return 10**6

    def start(self, worker: int) -> None:
        self._events.put(Event(worker, None, FACTS))

    def send(self, worker: int, job: Job, pictures: Mapping[str, PictureRef]) -> None:
        assert isinstance(job, AnswerJob)
        self._free[worker] = max(self.now, self._free.get(worker, 0.0)) + float(job.requests[0].text)
        heapq.heappush(self._coming, (self._free[worker], worker, job.number))

    def put(self, picture: Picture) -> PictureRef:
        return picture

    def kill(self, worker: int) -> None:
        raise AssertionError(worker)

    def close(self) -> None:
        pass

    def next_event(self, seconds: float) -> Event | None:
        """Those of one time come together, as they do where the driver has been away for a moment."""
        if not self._events.empty():
            return self._events.get()
        if not self._coming or (not seconds and self._coming[0][0] > self.now):
            return None
        self.now, worker, job = heapq.heappop(self._coming)
        return Event(worker, job, Done(rows=[values_of(Response("Yes"))], budget=100))
