"""What a run will take with some number of workers, by batches that were measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mipha_eval.cluster.schedule import schedule
from mipha_eval.engine.workload import Batches
from mipha_eval.runs.probe import Probe


@dataclass(frozen=True)
class Forecast:
    """What a number of workers take together, each as fast as this process was.

    Attributes:
        seconds: from the first worker's start to the last answer, the model's loading among them.
        worker_hours: of all workers, until the last one is done.
        questions_per_second: in these seconds, equal questions counted each.
        efficiency: the work's seconds over those that all workers are there; 1 for a single one.
        batches: that are handed out.
        extra: tokens that are computed more than once since a picture's questions are split at the end, as a part of all.
        splitting: seconds that these take, of all workers together.
    """

    workers: int
    seconds: float
    worker_hours: float
    questions_per_second: float
    efficiency: float
    batches: int
    extra: float
    splitting: float


def forecasts(probe: Probe, counts: Sequence[int]) -> list[Forecast]:
    """What each number of workers would take."""
    alone = probe.workload.batches(1)
    linear = probe.begin + sum(_seconds(probe, alone))
    return [_forecast(probe, count, alone if count == 1 else probe.workload.batches(count), linear) for count in counts]


def _forecast(probe: Probe, workers: int, batches: Batches, linear: float) -> Forecast:
    """Of so many workers, where `linear` is what a single one takes."""
    seconds = probe.begin + schedule(_seconds(probe, batches), workers).seconds
    return Forecast(
        workers=workers,
        seconds=seconds,
        worker_hours=workers * seconds / 3600,
        questions_per_second=probe.questions / max(seconds, 1e-9),
        efficiency=linear / max(workers * seconds, 1e-9),
        batches=len(batches.places),
        extra=batches.extra / max(probe.workload.total, 1),
        splitting=probe.speed.token * batches.extra,
    )


def _seconds(probe: Probe, batches: Batches) -> list[float]:
    return [probe.speed.seconds(probe.workload.tokens(places)) for places in batches.places]
