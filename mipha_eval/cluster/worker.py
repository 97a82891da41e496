"""A worker: jobs come from any thread, and one thread does them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from mipha_eval.cluster.messages import Broken, Done, Job, Picture, WorkerFacts
from mipha_eval.cluster.settings import ModelOrder
from mipha_eval.cluster.worker_model import WorkerModel


@dataclass(order=True)
class Waiting:
    """A job in the queue, and what is known when it is done."""

    number: int
    job: Job = field(compare=False)
    pictures: Mapping[str, Picture] = field(compare=False)
    done: Future[Done | Broken] = field(compare=False, default_factory=Future)


class Worker:
    """Does jobs in the order of their numbers. While it does one, the model hears of the next, so that it decodes the next
    one's pictures meanwhile, as an adapter of this process does.
    """

    def __init__(self, order: ModelOrder, level: int) -> None:
        self._order, self._level = order, level
        self._jobs: queue.PriorityQueue[Waiting] = queue.PriorityQueue()
        self._announced: set[int] = set()
        self._facts: Future[WorkerFacts | Broken] = Future()

    def load(self, node_id: str, gpus: float) -> WorkerFacts | Broken:
        """Loads the model and begins to do jobs."""
        threading.Thread(target=self._work, args=(node_id, gpus), name="model", daemon=True).start()
        return self._facts.result()

    def do(self, job: Job, pictures: Mapping[str, Picture]) -> Done | Broken:
        """Waits until a job is done."""
        waiting = Waiting(job.number, job, pictures)
        self._jobs.put(waiting)
        return waiting.done.result()

    def _work(self, node_id: str, gpus: float) -> None:
        """What the model is asked, it is asked by this thread."""
        model = WorkerModel(self._order, self._level)
        self._facts.set_result(model.load(node_id, gpus))
        while True:
            waiting = self._jobs.get()
            self._announce(model)
            self._announced.discard(waiting.number)
            waiting.done.set_result(model.do(waiting.job, waiting.pictures))

    def _announce(self, model: WorkerModel) -> None:
        """Tells the model of the next job, once."""
        with self._jobs.mutex:
            following = self._jobs.queue[0] if self._jobs.queue else None
        if following is not None and following.number not in self._announced:
            self._announced.add(following.number)
            model.prefetch(following.job, following.pictures)
