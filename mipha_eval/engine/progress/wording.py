"""Progress in words."""

from __future__ import annotations

from collections.abc import Sequence

from mipha_eval.core.stage import BYTES, Stage
from mipha_eval.engine.progress.task_count import TaskCount

WORKERS_SHOWN = 8
SIZES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def task_line(task: TaskCount, now: float) -> str:
    """How far a task is, in a line."""
    interval = f" ({task.interval})" if task.interval else ""
    score = f"{task.score}{interval}"
    return ", ".join(filter(None, [f"{task.label} {count_text(task)}", score, rate_text(task, now), left_text(task, now)]))


def count_text(task: TaskCount) -> str:
    return f"{task.done:,}/{task.total:,}"


def rate_text(task: TaskCount, now: float) -> str:
    """Answers a second; empty while nobody knows."""
    rate = task.rate(now)
    return f"{rate:.1f}/s" if rate else ""


def left_text(task: TaskCount, now: float) -> str:
    """As ``2:34 left``; empty while nobody knows."""
    left = task.left(now)
    return "" if left is None else f"{time_text(left)} left"


def time_text(seconds: float) -> str:
    """As ``0:42``, ``2:34`` or ``1:02:10``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def stage_line(stages: Sequence[Stage], now: float) -> str:
    """What is under way, the outermost first, how far the innermost is, and for how long it has been going on."""
    doing = ": ".join(dict.fromkeys(stage.doing for stage in stages))
    far = next(filter(None, map(amount_text, reversed(stages))), "")
    return f"{doing}{f', {far}' if far else ''} ({time_text(now - stages[0].began)})"


def amount_text(stage: Stage) -> str:
    """As ``3.2 of 6.1 GB``, ``3 of 12 tasks`` or ``52 %``; empty where nobody knows how much there is."""
    if not stage.total:
        return ""
    if stage.unit == BYTES:
        unit, size = next(((unit, size) for unit, size in SIZES if stage.total >= size), SIZES[-1])
        return f"{stage.done / size:.1f} of {stage.total / size:.1f} {unit}"
    if stage.unit:
        return f"{stage.done:,.0f} of {stage.total:,.0f} {stage.unit}"
    return f"{100 * min(stage.done / stage.total, 1.0):.0f} %"


def worker_lines(lines: Sequence[str]) -> list[str]:
    """As many as a terminal has room for, and how many there are beside."""
    shown = list(lines[:WORKERS_SHOWN])
    return [*shown, f"and {len(lines) - len(shown)} workers more"] if len(lines) > len(shown) else shown
