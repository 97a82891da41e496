"""How fast this machine answers: a few of a run's batches, measured."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mipha_eval.core.errors import UserError
from mipha_eval.core.model_facts import ModelFacts
from mipha_eval.core.plugins.blame import blaming
from mipha_eval.core.plugins.checks.models import checked_budget
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.streaming_adapter import StreamingAdapter
from mipha_eval.core.types import Response
from mipha_eval.engine.attempt import Attempts
from mipha_eval.engine.backend import InProcess
from mipha_eval.engine.distinct import Distinct
from mipha_eval.engine.engine import announced
from mipha_eval.engine.plan import Limits
from mipha_eval.engine.speed import Measured, Speed, fit, spread
from mipha_eval.engine.task_input import TaskInput, check_ranking
from mipha_eval.engine.workload import Workload
from mipha_eval.runs.checks import check_labels
from mipha_eval.runs.run import prepared_tasks
from mipha_eval.runs.settings import RunSettings

#: batches that are measured, beside a first one that does not count
PROBED = 9

#: seconds of some clock
Clock = Callable[[], float]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Probe:
    """What was measured of a model.

    Attributes:
        device: as the device calls itself; "" where the model does not say.
        questions: of all tasks; the distinct ones are the workload.
        measured: batches, the costliest first.
        loading: seconds that loading the model took.
        warming_up: seconds that the first batch took beyond what it would take later.
    """

    model: str
    device: str
    questions: int
    workload: Workload
    measured: Sequence[Measured]
    speed: Speed
    loading: float
    warming_up: float

    @property
    def begin(self) -> float:
        """Seconds of each worker before it answers at full speed."""
        return self.loading + self.warming_up

    @property
    def residual(self) -> float:
        """See `Speed.residual`."""
        return self.speed.residual(self.measured)


def probe(settings: RunSettings, workers: int = 1, clock: Clock = time.perf_counter) -> Probe:
    """Loads a model and measures some of the batches that so many workers would get.

    Raises:
        UserError: anything that the user can mend; the model cannot be measured; a batch has no answer at all.
    """
    check_measurable(settings.model)
    adapter = settings.model.adapter
    with blaming():
        check_labels(settings.tasks)
        work, failures = prepared_tasks(settings)
        for error in failures.values():
            raise error
        check_ranking(adapter, work)
        with InProcess(adapter) as backend:
            started = clock()
            facts = backend.load()
            loading = clock() - started
            workload, attempts = _workload(settings, work)
            first, *measured = _measure(workload, attempts, workers, clock)
    speed = fit(measured)
    return Probe(
        model=settings.model.name,
        device=_device(facts),
        questions=sum(len(item.samples) for item in work),
        workload=workload,
        measured=measured,
        speed=speed,
        loading=loading,
        warming_up=max(first.seconds - speed.seconds(first.tokens), 0.0),
    )


def check_measurable(model: Model) -> None:
    """Raises UserError for a model whose speed a few batches do not tell."""
    if model.adapter.floor:
        raise UserError(f"model {model.name} computes nothing, so that there is no speed to measure; name another")
    if isinstance(model.adapter, StreamingAdapter):
        told = "has many requests under way on a server, whose speed a few batches do not tell"
        raise UserError(f"model {model.name} {told}; measure one that is in this process")


def _workload(settings: RunSettings, work: Sequence[TaskInput]) -> tuple[Workload, Attempts]:
    """What a loaded model is to be asked by all tasks together."""
    adapter = settings.model.adapter
    requests = [item.request(sample) for item in work for sample in item.samples]
    todo = [requests[place] for place in Distinct(adapter, requests, {}).sort_out()]
    limits = Limits(checked_budget(adapter), settings.batch_size)
    attempts = Attempts(adapter, limits)
    return Workload(todo, [attempts.cost(request) for request in todo], limits), attempts


def _measure(workload: Workload, attempts: Attempts, workers: int, clock: Clock) -> list[Measured]:
    """A first batch, the costliest, and some others; again with smaller ones where the device does not hold these."""
    while True:
        budget = workload.limits.budget
        batches = workload.batches(workers).places
        tokens = [workload.tokens(places) for places in batches]
        first, *others = spread(tokens, PROBED + 1)
        chosen = [batches[place] for place in (first, *(others or [first]))]
        logger.info("%d of %d batches are asked, to measure the model's speed", len(chosen), len(batches))
        measured = []
        for each in _measured(workload, attempts, chosen, clock):
            if workload.limits.budget != budget:
                break  # other batches than these will be asked
            measured.append(each)
        else:
            return measured


def _measured(workload: Workload, attempts: Attempts, batches: Sequence[Sequence[int]], clock: Clock) -> Iterator[Measured]:
    """Batches one after the other, the model knowing of the next ones as in a run."""
    for places in announced(iter(map(list, batches)), workload.requests, attempts):
        asked = [workload.requests[place] for place in places]
        started = clock()
        responses = attempts.answer(asked)
        seconds = clock() - started
        failed = _failed(responses)
        logger.debug("%d questions of %d tokens took %.3f s", len(asked), workload.tokens(places), seconds)
        yield Measured(workload.tokens(places), len(asked), seconds, failed)


def _failed(responses: Sequence[Response]) -> int:
    """How many of a batch have no answer. Raises UserError if none has one."""
    reasons = [response.error for response in responses if response.error]
    if len(reasons) == len(responses):
        told = f"a batch of {len(responses)} questions has no answer, so that its time says nothing of the model's speed"
        raise UserError(f"{told}: {reasons[0]}")
    return len(reasons)


def _device(facts: ModelFacts) -> str:
    return str(facts.weights.get("device", ""))
