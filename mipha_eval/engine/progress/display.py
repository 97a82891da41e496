"""What ways of showing progress have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mipha_eval.core.stage import Stage

if TYPE_CHECKING:
    from mipha_eval.engine.progress.progress import Progress


@dataclass(frozen=True)
class View:
    """How things stand.

    Attributes:
        stages: what is under way, the outermost first.
        progress: whose tasks' questions are being answered.
        now: seconds of `time.monotonic`.
    """

    stages: Sequence[Stage]
    progress: Sequence[Progress]
    now: float


class Display(Protocol):
    """A way of showing it.

    Attributes:
        pause: seconds until it is shown again.
    """

    pause: float

    def open(self) -> None:
        """Before anything is shown."""

    def show(self, view: View) -> None:
        """Called in one thread."""

    def close(self) -> None:
        """Leaves nothing behind that is in the way. May be called again."""
