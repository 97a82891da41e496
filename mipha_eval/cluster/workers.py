"""A model in many processes, as a run sees it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

from mipha_eval import __version__
from mipha_eval.cluster.batch import Batch, Outcome
from mipha_eval.cluster.batch_source import BatchSource
from mipha_eval.cluster.cluster import Cluster
from mipha_eval.cluster.crew import Crew
from mipha_eval.cluster.dispatcher import Dispatcher
from mipha_eval.cluster.member import Member
from mipha_eval.cluster.messages import Done, WorkerFacts
from mipha_eval.cluster.pictures import folder_samples
from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import UserError
from mipha_eval.core.model_facts import ModelFacts
from mipha_eval.core.stage import stage
from mipha_eval.core.types import Request, Response
from mipha_eval.engine.backend import Backend
from mipha_eval.engine.distinct import Distinct, IndexedResponses
from mipha_eval.engine.plan import Limits
from mipha_eval.store.worker_record import WorkerRecord

#: seconds that further workers are waited for once one is ready
PATIENCE = 60.0
#: seconds between notes of what workers have done
SECONDS_BETWEEN_NOTES = 60.0
#: what may differ between the workers of a run, which its results then say
MAY_DIFFER = ("device",)

logger = logging.getLogger(__name__)


class Workers(Backend):
    """Plans, and has others answer. What it is asked, it is asked by one thread.

    Args:
        adapter: the model, which is not loaded in this process.
        batch_size: requests a batch; None leaves it to the model's token budget.
    """

    def __init__(self, adapter: ModelAdapter, cluster: Cluster, settings: WorkerSettings, batch_size: int | None) -> None:
        super().__init__()
        self._adapter, self._cluster, self._batch_size = adapter, cluster, batch_size
        self._crew = Crew(cluster, settings.count, settings.timeout, self._check)
        self._crew.changed = self.note
        self._dispatcher = Dispatcher(cluster, self._crew)
        self._facts: ModelFacts | None = None
        self._noted = 0.0

    def load(self) -> ModelFacts:
        started = time.perf_counter()
        try:
            with stage("waiting for workers"):
                self._cluster.connect()
                self._dispatcher.begin(PATIENCE)
        except BaseException:
            self.close()
            raise
        ready = [member.facts for member in self._crew.ready if member.facts is not None]
        # the same whichever worker was first, so that the same command finds its run again on the same kinds of device
        self._facts = min(
            (facts.model for facts in ready), key=lambda facts: json.dumps(facts.weights, sort_keys=True, default=str)
        )
        logger.debug("%d workers ready after %.1f s", len(ready), time.perf_counter() - started)
        return self._facts

    def run(
        self,
        requests: Sequence[Request],
        stop: Callable[[], bool] = lambda: False,
        known: Mapping[Hashable, Response] | None = None,
    ) -> Iterator[IndexedResponses]:
        distinct = Distinct(self._adapter, requests, known or {})
        source = BatchSource(requests, distinct.groups(), self._limits(), probe=not (known or self._dispatcher.trusted))
        if distinct.ready:
            yield distinct.ready
        if not source:
            return
        self.note()
        self._dispatcher.look_at(folder_samples(requests))
        if known:
            self._dispatcher.trust()
        for outcome in self._dispatcher.run(source, stop):
            if outcome.batch.kind == "cost":
                source.learn(outcome)
                continue
            yield distinct.spread([*zip(outcome.batch.places, self._responses(outcome), strict=True)])
            if time.monotonic() - self._noted > SECONDS_BETWEEN_NOTES:
                self.note()
        self.note()
        if source.queue.extra:
            share = 100 * source.queue.extra / source.queue.total
            logger.info("questions about a picture were shared out at the end, for %.2f %% more tokens", share)

    def reference(self, requests: Sequence[Request]) -> list[Response]:
        """By some worker; meanwhile the others go on."""
        batches = [Batch("reference", [place], [request]) for place, request in enumerate(requests)]
        return [self._responses(outcome)[0] for outcome in self._dispatcher.finish(batches)]

    def note(self) -> None:
        self._noted = time.monotonic()
        self.tell(self.records())

    def release(self) -> None:
        """Scoring a million answers takes a minute, for which no GPU need be held."""
        self.close()

    def close(self) -> None:
        for member in self._crew.living:
            member.end()
        try:
            self.note()
        finally:
            self._cluster.close()

    def records(self) -> list[WorkerRecord]:
        """All workers that there have been, for the manifest."""
        found = (member.record(self.first_worker) for member in self._crew.members.values())
        return [record for record in found if record is not None]

    def lines(self) -> list[str]:
        """How far each worker is."""
        members = self._crew.ready
        total = sum(member.answered for member in [*self._crew.members.values()])
        return [member.line(total) for member in members]

    def _limits(self) -> Limits:
        """What a batch may hold on every worker."""
        budgets = [member.facts.budget for member in self._crew.members.values() if member.facts is not None]
        limits = Limits(min(budgets), self._batch_size)
        self._dispatcher.limit = limits.lower
        return limits

    def _responses(self, outcome: Outcome) -> list[Response]:
        if not isinstance(outcome.done, Done):
            return [Response.failure(outcome.done) for _ in outcome.batch.places]
        self.digests.update((name, digest) for name, digest in outcome.done.digests.items() if digest)
        worker = None if outcome.worker is None else self.first_worker + outcome.worker
        return [Response(*(*row, worker)) for row in outcome.done.rows]

    def _check(self, member: Member, facts: WorkerFacts) -> None:
        """Raises UserError for a worker that would not give the answers that the others give."""
        if facts.mipha_eval != __version__:
            raise UserError(
                f"{self._crew.name(member)} has mipha-eval {facts.mipha_eval}, and this is {__version__}; "
                "install one version on all nodes"
            )
        others = self._facts or next(
            (each.facts.model for each in self._crew.ready if each.facts is not facts and each.facts), None
        )
        if others is None:
            return
        mine, theirs = facts.model.weights, others.weights
        differing = [name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name)]
        odd = next((name for name in sorted(differing) if name not in MAY_DIFFER), None)
        if odd is not None:
            told = f"{self._crew.name(member)} has another model than the others: {odd} is {mine.get(odd)!r}"
            raise UserError(f"{told}, not {theirs.get(odd)!r}; give all nodes the same checkpoint and options")
