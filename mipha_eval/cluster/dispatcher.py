"""Who does what: batches to workers, those of workers that died to others."""

from __future__ import annotations

import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from mipha_eval.cluster.batch import Batch, Nothing, Outcome, Source
from mipha_eval.cluster.cluster import Cluster, Death, Event, PictureRef
from mipha_eval.cluster.crew import Crew, told_of
from mipha_eval.cluster.member import AHEAD, Member
from mipha_eval.cluster.messages import ROW, Broken, Done, FolderJob, WorkerFacts
from mipha_eval.cluster.pictures import FolderSamples, Pictures, without_pictures
from mipha_eval.core.errors import UserError

#: seconds that the driver waits for an event before it looks at anything else
PAUSE = 0.2
#: seconds between messages that there is nobody to ask, and behind which nobody is waited for any more
SECONDS_BETWEEN_WARNINGS = 60.0
LONGEST_WITHOUT_ANYBODY = 3600.0
#: where a row has a response's error
ERROR = ROW.index("error")

logger = logging.getLogger(__name__)


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
        self._samples: FolderSamples = {}
        self._seen: dict[str, frozenset[str]] = {}
        self._again: deque[Batch] = deque()
        self._finished: deque[Outcome] = deque()
        self._source: Source = Nothing()
        self._running = False
        self._stop: Callable[[], bool] = lambda: False
        self._answered = self._probe_failed = self._broke = False
        self._failure: Exception | None = None
        self._last_ready = self._warned = time.monotonic()

    def begin(self, patience: float) -> None:
        """Starts workers, and waits until they are ready.

        Args:
            patience: seconds that the others are waited for once one is there, unless there is no room for them.

        Raises:
            UserError: a worker cannot load the model, or none can begin.
        """
        first = float("inf")
        self._last_ready = time.monotonic()
        while not self._crew.ready or (len(self._crew.ready) < self._crew.expected and time.monotonic() < first + patience):
            self._step()
            if self._crew.ready:
                first = min(first, time.monotonic())
        self._crew.begun = True

    @property
    def trusted(self) -> bool:
        """Whether the model has answered something, so that what fails is a request's fault."""
        return self._answered

    def trust(self) -> None:
        """Notes that it has, in an earlier command."""
        self._answered = True

    def look_at(self, samples: FolderSamples) -> None:
        """Files of the folders that pictures are in, for workers to say which of them they see."""
        self._samples, self._seen = samples, {}

    def finish(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Has batches done before any others, and waits for them.

        What ends a run meanwhile is raised by the run, once it has yielded what is done; nobody has done these batches then.
        """
        self._last_ready = time.monotonic()
        self._again.extendleft(reversed(batches))
        found: dict[int, Outcome] = {}
        kept: deque[Outcome] = deque()
        ours = {id(batch) for batch in batches}
        while len(found) < len(batches) and self._failure is None:
            self._try(self._step)
            while self._finished:
                outcome = self._finished.popleft()
                if id(outcome.batch) in ours:
                    found[id(outcome.batch)] = outcome
                else:
                    kept.append(outcome)
        self._finished = kept
        if self._failure is not None and not self._running:
            raise self._failure
        return [found.get(id(batch)) or Outcome(batch, None, str(self._failure)) for batch in batches]

    def run(self, source: Source, stop: Callable[[], bool]) -> Iterator[Outcome]:
        """Yields batches as they are done, until there are no more.

        Args:
            stop: once it is true, no batch is begun.
        """
        self._source, self._stop, self._running = source, stop, True
        self._last_ready = time.monotonic()
        try:
            while True:
                self._try(self._feed)
                while self._finished:
                    yield self._finished.popleft()
                    self._try(self._feed)
                if self._failure is not None:
                    raise self._failure
                at_work = any(member.tasks for member in self._crew.living)
                if not at_work and (stop() or not (self._again or source)):
                    return
                self._try(self._step)
        finally:
            self._source, self._stop, self._running = Nothing(), lambda: False, False
            self._forget()

    def _forget(self) -> None:
        """Drops what a run has left when it ends early; what comes of it is nobody's."""
        self._again.clear()
        self._finished.clear()
        for member in self._crew.living:
            member.tasks.clear()

    def _try(self, act: Callable[[], None]) -> None:
        """Does something; what ends the run there is kept, so that what was done before is handed on first."""
        try:
            act()
        except Exception as error:  # a worker's model is anybody's code
            self._failure = error

    def _step(self) -> None:
        """Hands out what can be handed out, and hears what has happened."""
        self._crew.fill()
        self._feed()
        event = self._cluster.next_event(PAUSE)
        while event is not None:
            self._hear(event)
            event = self._cluster.next_event(0)
        for member, reason in self._crew.hanging():  # not before all is heard: the driver may have been away
            self._lose(member, reason)
        self._look_for_anybody()

    def _feed(self) -> None:
        if self._failure is not None:
            return
        ready = self._crew.ready
        for depth, member in itertools.product(range(AHEAD), ready):
            if member.depth == depth and member.takes():
                self._give(member, ready)

    def _give(self, member: Member, ready: Sequence[Member]) -> None:
        """Hands a worker its next batch, and what to say the costs of; before that it says which folders its node sees."""
        if self._samples and member.node_id not in self._seen:
            if not any(each.checking is not None and each.node_id == member.node_id for each in ready):
                look = FolderJob(next(self._jobs), self._samples)
                member.check(look.number)
                self._cluster.send(member.number, look, {})
            return
        for batch in (self._costs(member), self._next(member, ready)):
            if batch is not None:
                self._send(member, batch)

    def _costs(self, member: Member) -> Batch | None:
        """What a worker is to say the costs of before it answers, one batch at a time."""
        again = any(self._may_begin(batch, more=True) for batch in self._again)  # which comes first
        waits = again or self._stop() or self._waits_for_probe() or member.depth < len(member.tasks)
        return None if waits else self._source.take_costs()

    def _send(self, member: Member, batch: Batch) -> None:
        if batch.kind == "cost":
            job, refs = batch.job(next(self._jobs), without_pictures(batch.requests)), dict[str, PictureRef]()
        else:
            requests, refs = self._pictures.sent(batch.requests, self._seen.get(member.node_id, frozenset()), batch.sent_on)
            job = batch.job(next(self._jobs), requests, trusted=self._answered)
        member.give(job.number, batch)
        self._cluster.send(member.number, job, refs)

    def _next(self, member: Member, ready: Sequence[Member]) -> Batch | None:
        """What a worker is to do next; None for nothing yet: a batch that is suspect waits for a worker without another."""
        if self._waits_for_probe():
            return None
        more = bool(self._source) and not self._stop()
        first = next((batch for batch in self._again if self._may_begin(batch, more)), None)
        if first is not None and member.takes(first):
            self._again.remove(first)
            return first
        if first is not None and member is min(ready, key=lambda each: (not each.takes(), len(each.tasks))):
            return None
        return self._source.take(len(ready)) if more else None

    def _waits_for_probe(self) -> bool:
        """Whether the model has broken, and the cheapest questions are still to show whether it can answer any."""
        under_way = (batch for member in self._crew.living for _, batch in member.tasks)
        return self._broke and not self._answered and any(batch.probe for batch in under_way)

    def _may_begin(self, batch: Batch, more: bool) -> bool:
        """Whether a batch may be asked again now. Where one worker after the other ends over batches that are suspect, what
        nobody has asked yet comes first, which shows whether it is these or the workers.
        """
        if self._stop() and batch.kind == "answer":
            return False
        return not (more and batch.suspect and self._crew.doubtful)

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
                if not self._answered and (broken.fault or self._is_hopeless(member, event.job)):
                    raise told_of(broken)
                self._broke = True
                self._lose(member, f"can do nothing more: {broken.reason}", blamed=self._answered)
            case Death() as death if member.facts is None:
                self._crew.bury_stillborn(member, death)
            case Death(reason, with_node):
                self._lose(member, reason, member.node_id if with_node else "")

    def _take_in(self, member: Member, job: int | None, done: Done) -> None:
        if job == member.checking:
            member.checking = None
            self._seen[member.node_id] = done.folders
            return
        batch = member.take_back(-1 if job is None else job)
        if batch is None:
            return
        if done.lacking:
            batch.sent_on |= done.lacking
            self._again.appendleft(batch)
            return
        member.note(done, len(batch.places) if batch.kind == "answer" else 0)
        if batch.kind == "answer":
            answered = any(not row[ERROR] for row in done.rows)
            self._answered = self._answered or answered
            self._probe_failed = self._probe_failed or (batch.probe and not answered)
        if batch.kind != "cost":
            self._crew.praise()
            self.limit(done.budget)
        self._finished.append(Outcome(batch, member.number, done))

    def _is_hopeless(self, member: Member, job: int | None) -> bool:
        """Whether a model that has answered nothing breaks at what is cheapest, too, not at the costliest alone."""
        return self._probe_failed or any(number == job and batch.probe for number, batch in member.tasks)

    def _lose(self, member: Member, reason: str, lost_node: str = "", *, blamed: bool = True) -> None:
        """A worker is gone: the batch that it computed may be why, and is blamed; the next one goes to another."""
        tasks = [batch for _, batch in member.tasks]
        suspected = self._answered and bool(tasks) and tasks[0].suspect
        member.tasks.clear()
        logger.warning("%s %s%s", self._crew.name(member), reason, "; its questions are asked of another" if tasks else "")
        if tasks and blamed:
            tasks[0].blame(reason, lost_node)
        if tasks:
            self._ask_again(tasks[0])
        self._again.extendleft(reversed(tasks[1:]))
        self._cluster.kill(member.number)  # where it can only not be reached, it would keep its device
        self._crew.bury(member, reason, suspected=suspected)

    def _ask_again(self, batch: Batch) -> None:
        """Has a batch that a worker ended over done by another, or question by question, or given up."""
        if not batch.hopeless:
            self._again.append(batch)
        elif batch.kind == "answer" and len(batch.places) > 1:
            logger.warning("%d questions cost %d workers; they are asked one by one", len(batch.places), batch.deaths)
            self._again.extend(batch.one_by_one())
        else:
            told = f"each of {batch.deaths} workers that was asked this alone ended: it {batch.reason}"
            self._finished.append(Outcome(batch, None, told))

    def _look_for_anybody(self) -> None:
        """Raises UserError where nobody has been ready for long."""
        now = time.monotonic()
        if self._crew.ready:
            self._last_ready = self._warned = now
        elif now - self._last_ready > LONGEST_WITHOUT_ANYBODY:
            raise UserError("no worker has been ready for an hour; the cluster may lack devices that are free")
        elif now - self._warned > SECONDS_BETWEEN_WARNINGS:
            self._warned = now
            logger.warning("no worker is ready; waiting for one to find a device that is free, and to load the model")
