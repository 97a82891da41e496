"""How far a task is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class TaskCount:
    """How far a task is.

    Attributes:
        begun: how many were answered before.
        started, ended: seconds of `time.monotonic`; None while no answer has come, and while some are lacking.
        started: seconds of `time.monotonic`; None while no answer has come.
        score: what the answers so far come to, with its name; empty where nobody knows. `interval`: of that, at 95 %.
        scored: whether that is the task's result.
    """

    label: str
    total: int
    done: int
    begun: int
    started: float | None = None
    ended: float | None = None
    score: str = ""
    interval: str = ""
    scored: bool = False

    @property
    def asked(self) -> bool:
        """Whether its answers are coming in."""
        return self.started is not None and self.done < self.total

    def rate(self, now: float) -> float:
        """Answers a second since the first was on its way."""
        if self.started is None:
            return 0.0
        until = now if self.ended is None else self.ended
        return (self.done - self.begun) / max(until - self.started, 1e-9)

    def left(self, now: float) -> float | None:
        """Seconds; None while nobody knows."""
        rate = self.rate(now)
        return (self.total - self.done) / rate if rate else None
