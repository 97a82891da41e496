"""How many workers answer, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mipha_eval.core.errors import UserError

TIMEOUT = 1800.0  # seconds; a batch of a large model on a CPU takes minutes


@dataclass(frozen=True)
class WorkerSettings:
    """What was asked for.

    Attributes:
        count: workers; None for one a GPU that is there, also of nodes that join later.
        address: a running Ray cluster's; None for this machine alone.
        gpus: that each worker holds; None for one where there are any and the model may use it.
        timeout: seconds that a batch may take before its worker is taken for hanging.
        threads: CPU threads of each; None for its part of the machine.
    """

    count: int | None = None
    address: str | None = None
    gpus: float | None = None
    timeout: float = TIMEOUT
    threads: int | None = None


def worker_settings(asked: int | str | WorkerSettings | None) -> WorkerSettings | None:
    """Reads a number or ``auto``; None where this process is to answer. Raises UserError."""
    if asked is None or isinstance(asked, WorkerSettings):
        return asked
    if asked == "auto":
        return WorkerSettings()
    text = str(asked)
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise UserError(f"workers {text}: expected auto or a positive number", flag="--workers N")
    return WorkerSettings(int(text)) if int(text) > 1 else None


@dataclass(frozen=True)
class ModelOrder:
    """What a worker builds its model from.

    Attributes:
        options: of the model and of how it is asked, as texts.
        plugins: files with models, by absolute path.
        batch_size: requests a batch at most.
        folder: where relative paths begin.
    """

    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    as_published: bool = False
    plugins: tuple[str, ...] = ()
    batch_size: int | None = None
    folder: str = "."
