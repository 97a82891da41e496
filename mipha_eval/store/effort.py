"""What the answers took that a result is about."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from mipha_eval.core.task import JUDGE_FAILED
from mipha_eval.scoring.result_record import Effort, ResultRecord


def measured(result: ResultRecord) -> Effort:
    """What a result says of the time of its answers, which may be of some of them alone; nothing if it does not say so."""
    # results of before commands were added up have only what the last one generated
    timed = result.generated if result.timed is None else result.timed
    return Effort(result.seconds, timed) if result.seconds is not None and timed else Effort()


def measured_of_all(result: ResultRecord) -> Effort:
    """The same where it is the time of all answers that the result is about, and of no others; else nothing.

    Older results have the time of whatever their run was asked, and lack that of commands that were killed.
    """
    effort, beside = measured(result), result.unlabelled + result.failed + result.rules.get(JUDGE_FAILED, 0)
    return effort if effort.timed == result.n + beside else Effort()


def effort_of(answered: Collection[str], took: Mapping[str, float], before: Effort, now: Effort) -> Effort:
    """What answers took.

    Args:
        answered: their sample ids.
        took: seconds by sample id, as far as they are stored with the answers.
        before: of all answers of the result of before, for older ones that were stored without.
        now: of the answers that were made since.

    Returns:
        The seconds of those of which they are known.
    """
    known = [took[name] for name in answered if name in took]
    if len(known) < len(answered) == before.timed + now.timed:
        return Effort(round(before.seconds + now.seconds, 6), len(answered), now.generated)
    return Effort(round(math.fsum(known), 6), len(known), now.generated)
