"""Who does what: batches to workers, those of workers that died to others."""

from __future__ import annotations

import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from mipha_eval.cluster.batch import Batch
from mipha_eval.cluster.cluster import Cluster, Death, Event, PictureRef
from mipha_eval.cluster.crew import Crew, told_of
from mipha_eval.cluster.member import Member
from mipha_eval.cluster.messages import Broken, Done, FolderJob, WorkerFacts
from mipha_eval.cluster.pictures import Pictures, Samples, without_pictures

#: seconds that the driver waits for an event before it looks at anything else
PAUSE = 0.2
#: seconds between messages that there is nobody to ask
SECONDS_BETWEEN_WARNINGS = 60.0

logger = logging.getLogger(__name__)


class Source(Protocol):
    """Where batches come from; true while there are more."""

    def take(self, workers: int) -> Batch:
        """The next batch, for one of so many workers."""

    def __bool__(self) -> bool: ...


class Nothing:
    """A source without a batch."""

    def take(self, workers: int) -> Batch:
        raise IndexError(workers)

    def __bool__(self) -> bool:
        return False


class Outcome(NamedTuple):
    """What came of a batch.

    Attributes:
        worker: the number of the one that did it; None where nobody could.
        done: a text says why nobody could.
    """

    batch: Batch
    worker: int | None
    done: Done | str


class Dispatcher:
    """Keeps workers at work. Everything happens in the driver's thread, when it takes a step.

    Attributes:
        limit: called with the tokens that a batch may cost on a worker that has done one.
    """

    def __init__(self, cluster: Cluster, crew: Crew) -> None:
        self.limit: Callable[[int], None] = lambda _: None
        self._cluster, self._crew = cluster, crew
        self._pictures = Pictures(cluster)
        self._jobs = itertools.count()
        self._samples: Samples = {}
        self._seen: dict[str, frozenset[str]] = {}
        self._again: deque[Batch] = deque()
        self._finished: deque[Outcome] = deque()
        self._source: Source = Nothing()
        self._stop: Callable[[], bool] = lambda: False
        self._answered = False
        self._warned = time.monotonic()

    def begin(self, patience: float) -> None:
        """Starts workers, and waits until they are ready.

        Args:
            patience: seconds that the others are waited for once one is there: they may have to wait for a device.

        Raises:
            UserError: a worker cannot load the model.
        """
        first = float("inf")
        while not self._crew.ready or (
            len(self._crew.ready) < len(self._crew.living) and time.monotonic() < first + patience
        ):
            self._step()
            if self._crew.ready:
                first = min(first, time.monotonic())
        self._crew.begun = True

    def look_at(self, samples: Samples) -> None:
        """Files of the folders that pictures are in, for workers to say which of them they see."""
        self._samples, self._seen = samples, {}

    def finish(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Has batches done before any others, and waits for them."""
        self._again.extendleft(reversed(batches))
        found: dict[int, Outcome] = {}
        kept: deque[Outcome] = deque()
        parts = {id(batch): batch for batch in batches}
        while len(found) < len(batches):
            self._step()
            while self._finished:
                outcome = self._finished.popleft()
                if id(outcome.batch) in parts:
                    found[id(outcome.batch)] = outcome
                else:
                    kept.append(outcome)
        self._finished = kept
        return [found[id(batch)] for batch in batches]

    def run(self, source: Source, stop: Callable[[], bool]) -> Iterator[Outcome]:
        """Yields batches as they are done, until there are no more.

        Args:
            stop: once it is true, no batch is begun.
        """
        self._source, self._stop = source, stop
        try:
            while True:
                self._feed()
                while self._finished:
                    yield self._finished.popleft()
                    self._feed()
                at_work = any(member.tasks for member in self._crew.living)
                if not at_work and (stop() or not (self._again or source)):
                    return
                self._step()
        finally:
            self._source, self._stop = Nothing(), lambda: False

    def _step(self) -> None:
        """Hands out what can be handed out, and hears what has happened."""
        self._crew.fill()
        for member, reason in self._crew.hanging():
            self._lose(member, reason)
        self._feed()
        event = self._cluster.next_event(PAUSE)
        while event is not None:
            self._hear(event)
            event = self._cluster.next_event(0)
        self._warn_of_nobody()

    def _feed(self) -> None:
        ready = self._crew.ready
        for depth in (0, 1):
            for member in ready:
                if len(member.tasks) == depth and member.takes():
                    self._give(member, ready)

    def _give(self, member: Member, ready: Sequence[Member]) -> None:
        """Hands a worker its next batch, or asks it first which folders its node sees."""
        if self._samples and member.facts is not None and member.facts.node_id not in self._seen:
            if not any(each.checking is not None and _node(each) == _node(member) for each in ready):
                member.checking = next(self._jobs)
                self._cluster.send(member.number, FolderJob(member.checking, self._samples), {})
            return
        batch = self._next(member, ready)
        if batch is None:
            return
        number = next(self._jobs)
        if batch.kind == "cost":
            job, refs = batch.job(number, without_pictures(batch.requests)), dict[str, PictureRef]()
        else:
            folders = self._seen.get(_node(member), frozenset())
            requests, refs = self._pictures.sent(batch.requests, folders, batch.sent_on)
            job = batch.job(number, requests, trusted=self._answered)
        member.give(number, batch)
        self._cluster.send(member.number, job, refs)

    def _next(self, member: Member, ready: Sequence[Member]) -> Batch | None:
        """What a worker is to do next; None for nothing yet: a batch that is suspect waits for a worker without another."""
        stopped = self._stop()
        first = next((batch for batch in self._again if not stopped or batch.kind != "answer"), None)
        if first is not None and member.takes(first):
            self._again.remove(first)
            return first
        if first is not None and member is min(ready, key=lambda each: (not each.takes(), len(each.tasks))):
            return None
        return self._source.take(len(ready)) if self._source and not stopped else None

    def _hear(self, event: Event) -> None:
        member = self._crew.members[event.worker]
        if member.ended:
            return  # its batches are others' already
        match event.outcome:
            case WorkerFacts() as facts:
                self._crew.welcome(member, facts)
            case Done() as done:
                self._crew.say(member, done.said)
                self._take_in(member, event.job, done)
            case Broken() as broken if event.job is None:
                self._crew.refuse(member, broken)
            case Broken() as broken:
                self._crew.say(member, broken.said)
                if not self._answered:
                    raise told_of(broken)
                self._cluster.kill(member.number)
                self._lose(member, f"can do nothing more: {broken.reason}")
            case Death(reason) if event.job is None:
                self._crew.bury_stillborn(member, reason)
            case Death(reason):
                self._lose(member, reason)

    def _take_in(self, member: Member, job: int | None, done: Done) -> None:
        if job == member.checking:
            member.checking = None
            self._seen[_node(member)] = done.folders
            return
        batch = member.take_back(-1 if job is None else job)
        if batch is None:
            return
        if done.lacking:
            batch.sent_on |= done.lacking
            self._again.appendleft(batch)
            return
        member.note(done, len(batch.places) if batch.kind == "answer" else 0)
        self._answered = self._answered or batch.kind == "answer"
        self._crew.praise()
        self.limit(done.budget)
        self._finished.append(Outcome(batch, member.number, done))

    def _lose(self, member: Member, reason: str) -> None:
        """A worker is gone: the batch that it computed may be why, the next one goes to another."""
        tasks = [batch for _, batch in member.tasks]
        member.tasks.clear()
        logger.warning("%s %s%s", self._crew.name(member), reason, "; its questions are asked of another" if tasks else "")
        if tasks:
            self._blame(tasks[0], reason)
        self._again.extendleft(reversed(tasks[1:]))
        self._crew.bury(member, reason)

    def _blame(self, batch: Batch, reason: str) -> None:
        batch.deaths += 1
        batch.reason = reason
        if not batch.hopeless:
            self._again.append(batch)
        elif batch.kind == "answer" and len(batch.places) > 1:
            logger.warning("%d questions cost %d workers; they are asked one by one", len(batch.places), batch.deaths)
            self._again.extend(batch.one_by_one())
        else:
            told = f"each of {batch.deaths} workers that was asked this alone ended: it {reason}"
            self._finished.append(Outcome(batch, None, told))

    def _warn_of_nobody(self) -> None:
        now = time.monotonic()
        if self._crew.ready or not self._crew.begun:
            self._warned = now
        elif now - self._warned > SECONDS_BETWEEN_WARNINGS:
            self._warned = now
            logger.warning("no worker is ready; waiting for one to load the model")


def _node(member: Member) -> str:
    return member.facts.node_id if member.facts else ""
