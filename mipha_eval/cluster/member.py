"""A worker as the driver knows it."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from mipha_eval import __version__
from mipha_eval.cluster.batch import Batch
from mipha_eval.cluster.messages import Done, WorkerFacts
from mipha_eval.store.worker_record import WorkerRecord

#: batches that a worker has: one that it computes, and the next
AHEAD = 2


@dataclass(eq=False)
class Member:
    """A worker and what it is doing.

    Attributes:
        number: as the cluster knows it.
        facts: None while its model is loaded.
        tasks: (number of the job, batch) that it has, in the order in which it does them.
        checking: number of the job that looks at which folders it sees; None if none is under way.
        since: when it began the first of these, in seconds of the clock.
        began: when it was ready.
    """

    number: int
    facts: WorkerFacts | None = None
    tasks: deque[tuple[int, Batch]] = field(default_factory=deque)
    checking: int | None = None
    since: float = 0.0
    began: float = 0.0
    answered: int = 0
    busy: float = 0.0
    waited: float = 0.0
    seconds: float = 0.0
    ended: str = ""

    @property
    def ready(self) -> bool:
        return self.facts is not None and not self.ended

    @property
    def node_id(self) -> str:
        """Ray's name of its node; "" before it is ready."""
        return self.facts.node_id if self.facts else ""

    def takes(self, batch: Batch | None = None) -> bool:
        """Whether it is to get another batch, or this one."""
        if not self.ready or self.checking is not None or any(task.suspect for _, task in self.tasks):
            return False
        return not self.tasks if batch is not None and batch.suspect else self.depth < AHEAD

    @property
    def depth(self) -> int:
        """Batches that it has, without one of costs, which takes no time worth the name and is no work ahead."""
        return sum(batch.kind != "cost" for _, batch in self.tasks)

    def check(self, number: int) -> None:
        """Has it look at which folders it sees; it has nothing else to do then, or it would not be asked."""
        self.checking, self.since = number, time.monotonic()

    def hangs(self, timeout: float) -> bool:
        """Whether what it does takes longer than so many seconds."""
        return bool(self.tasks or self.checking is not None) and time.monotonic() - self.since > timeout

    def give(self, number: int, batch: Batch) -> None:
        if not self.tasks:
            self.since = time.monotonic()
        self.tasks.append((number, batch))

    def take_back(self, number: int) -> Batch | None:
        """The batch of a job that is done; None for a job that it does not have any more."""
        found = next((batch for job, batch in self.tasks if job == number), None)
        self.tasks = deque((job, batch) for job, batch in self.tasks if job != number)
        self.since = time.monotonic()
        return found

    def note(self, done: Done, answered: int) -> None:
        """Counts what a job took."""
        self.answered += answered
        self.busy += done.busy
        self.waited += done.waited

    def end(self, reason: str = "") -> None:
        if not self.seconds and self.began:
            self.seconds = time.monotonic() - self.began
        self.ended = self.ended or reason

    def line(self, total: int) -> str:
        """How far it is, where all workers have answered `total` questions."""
        if self.facts is None:
            return ""
        seconds = max(time.monotonic() - self.began, 1e-9)
        share, waiting = self.answered / max(total, 1), self.waited / max(self.busy + self.waited, 1e-9)
        where = f"worker {self.number} {self.facts.device} {self.facts.node}"
        return f"{where}: {self.answered / seconds:.1f}/s, {100 * share:.0f} % of all, waiting {100 * waiting:.0f} %"

    def record(self, first: int) -> WorkerRecord | None:
        """For the manifest; None for one that was never ready. `first` is the run's number of the first worker."""
        if self.facts is None:
            return None
        facts = self.facts
        return WorkerRecord(
            index=first + self.number,
            node=facts.node,
            device=facts.device,
            gpus=facts.gpus,
            python=facts.python,
            packages={"mipha-eval": __version__, **facts.packages},
            answered=self.answered,
            busy=round(self.busy, 3),
            waited=round(self.waited, 3),
            seconds=round(self.seconds or time.monotonic() - self.began, 3),
            ended=self.ended,
        )
