"""Answers that a result lacks: what keeps it from being finished, and from being ranked."""

from __future__ import annotations

from mipha_eval.core.task import UNGRADED
from mipha_eval.scoring.result_record import ResultRecord

#: the share of unparsed answers from which on a score says so, and the share above which a result is not finished. Real
#: models leave less than 1 % unparsed where they know the benchmark's format; docs/protocols.md has the shares
UNPARSED_TOLD, UNPARSED_MOST = 0.01, 0.5


def unparsed_share(result: ResultRecord) -> float:
    """Answers that nobody could read among those that were scored, 0 to 1."""
    return result.unparsed / result.n if result.n else 0.0


def not_judged(result: ResultRecord) -> int:
    """Answers that a judge has to grade and has not graded."""
    return sum(result.rules.get(rule, 0) for rule in UNGRADED)


def gaps(result: ResultRecord) -> dict[str, int]:
    """What a result lacks -> how many answers; empty for a finished one. A judge's second opinions are not in it."""
    counts = {
        "failed": result.failed,
        "missing": result.missing,
        "unlabelled": result.unlabelled,
        "not judged": not_judged(result),
        "unparsed": result.unparsed if unparsed_share(result) > UNPARSED_MOST else 0,
    }
    return {name: count for name, count in counts.items() if count}
