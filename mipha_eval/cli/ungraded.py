"""What to do about answers that nobody has graded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mipha_eval.scoring.result_record import ResultRecord


def ungraded_lines(result: ResultRecord) -> list[str]:
    """What grades a task's answers that are not judged, if any; a line, or none."""
    from mipha_eval.core.task import NOT_JUDGED

    count = result.rules.get(NOT_JUDGED, 0)
    if result.judge is not None or not count:
        return []
    told = "by a model (--judge NAME) or a file of grades (--grades FILE)"
    return [f"{result.task}: {count:,} answers are not graded; what no rule can read is graded {told}"]
