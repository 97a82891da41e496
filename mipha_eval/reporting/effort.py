"""What a run's answers took."""

from __future__ import annotations

from mipha_eval.scoring.result_record import ResultRecord


def effort(result: ResultRecord) -> tuple[float | None, float | None]:
    """Seconds that a run's answers took, and answers a second; None where nothing was measured."""
    # results of before runs added up have only what their last command generated
    answers, seconds = result.generated if result.timed is None else result.timed, result.seconds or 0.0
    if not answers:
        return None, None
    return seconds, answers / seconds if seconds else None
