"""What a run's answers took."""

from __future__ import annotations

from mipha_eval.scoring.result_record import ResultRecord
from mipha_eval.store.effort import measured_of_all


def effort(result: ResultRecord) -> tuple[float | None, float | None]:
    """Seconds that a result's answers took, and answers a second; None where that was not measured of all of them."""
    found = measured_of_all(result)
    if not found.timed:
        return None, None
    return found.seconds, found.timed / found.seconds if found.seconds else None
