"""The order of a matrix: a process a model, several at a time if asked, and what became of each run."""

from __future__ import annotations

import logging
import os
import queue
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from mipha_eval.core.errors import UserInterruptError
from mipha_eval.core.files import why
from mipha_eval.engine.interrupt import Interrupt
from mipha_eval.runs.matrix.matrix import Matrix, PlannedRun
from mipha_eval.runs.matrix.model_process import ModelProcess
from mipha_eval.runs.matrix.order import Ended, Order, Turn

#: seconds between looks at whether Ctrl-C was pressed
PAUSE = 0.2
THREADS, DEVICES = "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"
NOT_TRIED = "not tried, since the model's own run failed"
NOT_BEGUN = "stopped before it began; the same command goes on"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        folder: None if none was begun.
    """

    planned: PlannedRun
    folder: str | None
    ended: Ended


@dataclass
class MatrixLoop:
    """Makes the runs of a matrix; see `run_matrix`.

    Attributes:
        places: numbers of those that may be at work, each with a part of the machine.
        at_work: the processes that are.
    """

    matrix: Matrix
    workers: int
    places: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    at_work: set[ModelProcess] = field(default_factory=set)
    stopped: bool = False

    def run_all(self) -> list[Outcome]:
        for place in range(self.workers):
            self.places.put(place)
        with Interrupt() as interrupt, ThreadPoolExecutor(self.workers) as pool:
            parts = [pool.submit(self._run_model, runs) for runs in self.matrix.by_model()]
            try:
                self._wait(parts, interrupt)
            except UserInterruptError:  # the processes are ended
                self.stopped = True
                raise
        return [outcome for part in parts for outcome in part.result()]

    def _wait(self, parts: Sequence[Future[list[Outcome]]], interrupt: Interrupt) -> None:
        while wait(parts, PAUSE).not_done:
            if interrupt.asked() and not self.stopped:
                self.stopped = True
                for process in tuple(self.at_work):
                    process.interrupt()

    def _run_model(self, runs: Sequence[PlannedRun]) -> list[Outcome]:
        if self.stopped:
            return [Outcome(run, None, Ended(reason=NOT_BEGUN, stopped=True)) for run in runs]
        place = self.places.get()
        try:
            process = ModelProcess(self._order(runs[0]), environment(place, self.workers, os.environ))
        except OSError as error:  # no memory for one more process, among others
            self.places.put(place)
            return [Outcome(run, None, Ended(reason=f"no process can be started: {why(error)}")) for run in runs]
        self.at_work.add(process)
        try:
            return self._turns(process, runs)
        finally:
            process.close()
            self.at_work.discard(process)
            self.places.put(place)

    def _turns(self, process: ModelProcess, runs: Sequence[PlannedRun]) -> list[Outcome]:
        """Has a process make a model's runs; where it cannot begin one, its controls are not tried."""
        found: list[Outcome] = []
        for run in runs:
            if self.stopped:
                found.append(Outcome(run, None, Ended(reason=NOT_BEGUN, stopped=True)))
                continue
            own = found[0] if found else None
            if own is not None and own.ended.reason and (own.folder is None or not process.alive):
                found.append(Outcome(run, None, Ended(reason=f"{NOT_TRIED}: {own.ended.reason}", flag=own.ended.flag)))
                continue
            label, began = f"{run.number + 1}/{len(self.matrix.runs)} {run.label}", time.monotonic()
            logger.info("%s: begins", label)
            folder, ended = process.run(Turn(run.control), label)
            if ended.stopped or (self.stopped and not process.alive):
                ended = Ended(reason=NOT_BEGUN, stopped=True)
            found.append(Outcome(run, folder, ended))
            if ended.reason:
                logger.warning("%s: %s", label, ended.reason)
            else:
                logger.info("%s: %s after %.0f s", label, "stops" if self.stopped else "ends", time.monotonic() - began)
        return found

    def _order(self, run: PlannedRun) -> Order:
        return Order(
            shared=self.matrix.shared,
            model=run.model.name,
            options=run.model.options,
            as_published=run.model.published is not None,
            argv=tuple(sys.argv[1:]),
            level=logging.getLogger("mipha_eval").getEffectiveLevel(),
        )


def run_matrix(matrix: Matrix, workers: int) -> list[Outcome]:
    """Makes all runs of a matrix, those of `workers` models at a time; what fails leaves the others alone.

    Ctrl-C lets what is at work come to a clean end and begins nothing more; a second one stops at once.
    """
    return MatrixLoop(matrix, min(workers, len(matrix.by_model()))).run_all()


def environment(place: int, workers: int, given: Mapping[str, str]) -> dict[str, str]:
    """A process's environment: of several at work each has its part of the processor, and of the devices that are named.

    Args:
        place: which of the `workers` it is, from 0.
    """
    found = dict(given)
    if workers > 1:
        found.setdefault(THREADS, str(max(1, (os.cpu_count() or 1) // workers)))
        devices = found.get(DEVICES, "").split(",")
        if len(devices) >= workers:
            found[DEVICES] = ",".join(devices[place::workers])
    return found
