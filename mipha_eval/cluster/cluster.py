"""Where workers are, as the driver sees it: it starts them, hands them jobs, and hears what becomes of both."""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mipha_eval.cluster.messages import Broken, Done, Job, Picture, WorkerFacts

#: a picture where all nodes can get it, as the cluster knows it
PictureRef = object


@dataclass(frozen=True)
class Death:
    """A worker's process has ended, or cannot be reached, and why.

    Attributes:
        with_node: whether its whole node is gone, with all workers there.
    """

    reason: str
    with_node: bool = False


class Event(NamedTuple):
    """What became of a worker's loading or of a job.

    Attributes:
        job: its number; None for loading, and for a death that is no job's.
    """

    worker: int
    job: int | None
    outcome: WorkerFacts | Done | Broken | Death


class Cluster(ABC):
    """Workers are known by numbers that the driver gives them."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    @abstractmethod
    def connect(self) -> None:
        """Raises UserError if there is no cluster, or it cannot be used."""

    @abstractmethod
    def room(self) -> int:
        """How many workers it has devices for now, those that are at work among them."""

    @abstractmethod
    def start(self, worker: int) -> None:
        """Begins a worker, which tells its facts by an event once its model is loaded."""

    @abstractmethod
    def send(self, worker: int, job: Job, pictures: Mapping[str, PictureRef]) -> None:
        """Hands over a job; what comes of it is an event. `pictures` has those that the worker cannot read, by location."""

    @abstractmethod
    def put(self, picture: Picture) -> PictureRef:
        """Puts a picture where every node can get it once."""

    @abstractmethod
    def kill(self, worker: int) -> None:
        """Ends a worker at once."""

    @abstractmethod
    def close(self) -> None:
        """Ends all workers, and what was begun for them."""

    def next_event(self, seconds: float) -> Event | None:
        """The next event, None if none comes in so many seconds."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None
