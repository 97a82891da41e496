"""The workers of a run in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mipha_eval.store.worker_record import WorkerRecord


def workers_text(workers: Sequence[WorkerRecord]) -> str:
    """How many, on which nodes and devices, and why some ended early; empty for none."""
    if not workers:
        return ""
    places = Counter(f"on {each.node} ({each.device})" for each in workers)
    ends = Counter(each.ended for each in workers if each.ended)
    told = [", ".join(f"{count} {place}" for place, count in places.items())]
    told += [f"{count} ended early: {reason}" for reason, count in ends.items()]
    return f"{len(workers)}: {'; '.join(told)}" if len(places) > 1 or ends else told[0]
