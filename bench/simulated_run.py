"""One run on simulated workers, in a process of its own, with what it took."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest.mock import patch

from bench.cluster_tasks import write_rows
from bench.simulated_workers import PICTURE_TOKENS, RayTimers, SimulatedModel, TimerCluster, tokens_of
from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.cluster.workers import Workers
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.own_process import set_up_process
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.types import Request, Response
from mipha_eval.engine.distinct import IndexedResponses
from mipha_eval.runs.run import run
from mipha_eval.runs.settings import RunSettings

PLUGIN = Path(__file__).with_name("cluster_tasks.py")


@dataclass(frozen=True)
class Trial:
    """What is to be measured.

    Attributes:
        rate: tokens a second of a worker.
        ray: whether messages go through Ray.
    """

    shape: str
    questions: int
    workers: int
    rate: float
    ray: bool


@dataclass(frozen=True)
class Taken:
    """What a run took.

    Attributes:
        linear: seconds in which the workers do it if none ever waits.
        before: seconds until the run asks: reading questions, writing down what is asked.
        planned: seconds from there to the first answer, planning among them.
        answered: seconds from there to the last answer that is handed on.
        after: seconds from there to the end: storing the last ones, scoring, the report.
        load: processors that the driver kept busy while workers were asked.
        processor: seconds of processors of the whole run.
        waiting: share of the workers' time in which they had nothing to do.
        peak: GB of the driver's memory.
        peak_asking: the same, until the last answer.
        sent, received: bytes of messages a question.
        batch: questions a batch.
    """

    trial: Trial
    linear: float
    before: float
    planned: float
    answered: float
    after: float
    load: float
    processor: float
    waiting: float
    peak: float
    peak_asking: float
    sent: float
    received: float
    batch: float

    @property
    def efficiency(self) -> float:
        """While workers were asked: from the first look at requests to the last answer."""
        return self.linear / self.answered

    @property
    def rate(self) -> float:
        """Questions a second that workers can do, if none ever waits."""
        return self.trial.questions / self.linear


class Measured(Workers):
    """Workers with a look at the clocks."""

    def run(
        self,
        requests: Sequence[Request],
        stop: Callable[[], bool] = lambda: False,
        known: Mapping[Hashable, Response] | None = None,
    ) -> Iterator[IndexedResponses]:
        self.begun = self.first = look()
        self.linear = 0.0
        pictures = {image.location for request in requests for image in request.images}
        self.tokens = PICTURE_TOKENS * len(pictures) + sum(tokens_of(request.text) for request in requests)
        del pictures
        self.begun = look()
        first = True
        for answered in super().run(requests, stop, known):
            if first:
                self.first, first = look(), False
            self.last = look()
            yield answered
            self.last = look()
        members = self._crew.members.values()
        busy, waited = sum(each.busy for each in members), sum(each.waited for each in members)
        self.waiting = waited / (busy + waited)


@dataclass(frozen=True)
class Look:
    """Clocks: of the wall, of processors; and GB at the peak."""

    wall: float
    processor: float
    peak: float


def look() -> Look:
    return Look(time.perf_counter(), time.process_time(), peak())


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)


def measure(trial: Trial, folder: Path) -> Taken:
    """In this process, on questions that are in `folder`."""
    begun = look()
    cluster = (RayTimers if trial.ray else TimerCluster)(trial.workers, trial.rate)
    adapter = SimulatedModel()
    backend = Measured(adapter, cluster, WorkerSettings(trial.workers), None)
    task = build_task(f"cluster-{trial.shape}", {}, DataSource("folder", folder), Registry([PLUGIN]))
    settings = RunSettings(Model("simulated", adapter), [task], output=folder / "runs", fresh=True, quiet=True)
    with patch("mipha_eval.runs.run.backend_of", lambda _: backend):
        found = run(settings)
    ended = look()
    if len(found.results) != 1 or found.results[0].summary.missing:
        raise SystemExit("questions are missing")
    asked = backend.last.wall - backend.begun.wall
    traffic = cluster.traffic
    return Taken(
        trial,
        linear=backend.tokens / trial.rate / trial.workers,
        before=backend.begun.wall - begun.wall,
        planned=backend.first.wall - backend.begun.wall,
        answered=asked,
        after=ended.wall - backend.last.wall,
        load=(backend.last.processor - backend.begun.processor) / asked,
        processor=ended.processor,
        waiting=backend.waiting,
        peak=ended.peak,
        peak_asking=backend.last.peak,
        sent=traffic.sent / max(traffic.questions, 1),
        received=traffic.received / max(traffic.questions, 1),
        batch=trial.questions / max(traffic.jobs, 1),
    )


def measure_apart(trial: Trial) -> Taken:
    """In a process of its own, so that its peak memory is its own."""
    with tempfile.TemporaryDirectory() as name:
        write_rows(Path(name), trial.shape, trial.questions)
        command = [sys.executable, "-m", "bench.simulated_run", name, json.dumps(asdict(trial))]
        told = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)  # noqa: S603
    found = json.loads(told.stdout.splitlines()[-1])
    return Taken(Trial(**found.pop("trial")), **found)


if __name__ == "__main__":
    set_up_process()  # as the command does
    print(json.dumps(asdict(measure(Trial(**json.loads(sys.argv[2])), Path(sys.argv[1])))))
