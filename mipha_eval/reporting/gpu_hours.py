"""GPU-hours of a run: what its GPUs were held for, and how much of that they computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.worker_record import WorkerRecord

#: devices of a run without workers that are no GPU which somebody pays by the hour
NO_GPU = ("", "cpu", "mps")
HOUR = 3600


@dataclass(frozen=True)
class GpuHours:
    """Hours times GPUs.

    Attributes:
        held: from when workers were ready until their end; of a run without workers, what its answers took.
        computing: of these, in which workers computed; None where nobody measured it.
        unmeasured: workers that held GPUs for a time that nobody noted, as where a run was killed; not in `held`.
    """

    held: float
    computing: float | None = None
    unmeasured: int = 0

    def __add__(self, other: GpuHours) -> GpuHours:
        measured = self.computing is not None and other.computing is not None
        computing = (self.computing or 0) + (other.computing or 0) if measured else None
        return GpuHours(self.held + other.held, computing, self.unmeasured + other.unmeasured)

    @property
    def text(self) -> str:
        """As ``12.50, 91.2% of it computing``."""
        parts = [f"{'at least ' if self.unmeasured else ''}{self.held:,.{2 if self.held >= 0.1 else 5}f}"]
        if self.held and self.computing is not None:
            parts.append(f"{100 * self.computing / self.held:.1f}% of it computing")
        if self.unmeasured:
            parts.append(f"the time of {self.unmeasured} worker{'s' if self.unmeasured > 1 else ''} not noted")
        return ", ".join(parts)


def gpu_hours(folder: RunFolder) -> GpuHours | None:
    """Of all commands of a run together; None where no GPU was used, or nobody knows.

    Of a run with workers it is theirs, by the GPUs that each held. Without, it is the seconds of the answers that the run's
    results are about, on one GPU: neither loading nor scoring is in it.
    """
    manifest = folder.manifest()
    if manifest.workers:
        return _of_workers(manifest.workers)
    if (manifest.weights.get("device") or "") in NO_GPU:
        return None
    seconds = sum(folder.task(label).effort().seconds for label in folder.tasks())
    return GpuHours(seconds / HOUR) if seconds else None


def gpu_hours_line(folder: RunFolder) -> str:
    """The same as a line under a run's table; empty where there is nothing to say."""
    found = gpu_hours(folder)
    return f"GPU-hours: {found.text}" if found else ""


def _of_workers(workers: Sequence[WorkerRecord]) -> GpuHours | None:
    holding = [each for each in workers if each.gpus > 0]
    if not holding:
        return None
    held = sum(each.seconds * each.gpus for each in holding)
    computing = sum(each.busy * each.gpus for each in holding)
    return GpuHours(held / HOUR, computing / HOUR, sum(each.seconds == 0 for each in holding))
