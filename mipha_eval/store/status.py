"""``status.json``: where each task of a run is."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from mipha_eval.core.atomic import write_json
from mipha_eval.core.files import read_object
from mipha_eval.core.record import Count, Text, checked, record_json

HINT = "remove it to go on"


class TaskStatus(Struct, frozen=True, omit_defaults=True):
    """An entry of ``status.json``; counts that nobody knows yet are None.

    Attributes:
        state: pending, infer, score, judge, done or failed.
        reason: why it failed.
        total, answered: questions, and how many of them have an answer.
        n, missing, failed, unparsed: as the result has them.
    """

    state: Text
    reason: str = ""
    total: Count | None = None
    answered: Count | None = None
    n: Count | None = None
    missing: Count | None = None
    failed: Count | None = None
    unparsed: Count | None = None


def read_status(path: Path) -> dict[str, TaskStatus]:
    """By the task's label; empty if there is no file. Raises UserError if it is damaged."""
    return checked(dict[str, TaskStatus], read_object(path, HINT), str(path), HINT) if path.exists() else {}


def write_status(path: Path, label: str, status: TaskStatus) -> None:
    """Writes where a task is; what the file says of others stays."""
    others = read_object(path) if path.exists() else {}
    write_json(path, {**others, label: record_json(status)})
