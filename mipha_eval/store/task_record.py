"""``task.json``: what is needed to build a task again and to know its data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from mipha_eval.core.atomic import write_json
from mipha_eval.core.files import read_object
from mipha_eval.core.record import Text, checked, record_json
from mipha_eval.core.suite_task import SuiteDefinition
from mipha_eval.scoring.run_context import RunContext
from mipha_eval.scoring.tables.definition import Definition
from mipha_eval.store.migrations import TASK, renamed
from mipha_eval.store.rows import AGAIN


class TaskRecord(Struct, frozen=True, kw_only=True):
    """A task of a run.

    Attributes:
        version: of its scoring.
        code: a digest of its code, where that is a plugin.
        options: by name, as texts; None for one that was not given.
        data_sha256: a digest of what was asked.
        probabilities: whether the model was asked how probable it holds each possible answer.
        table: what a table of questions is as a benchmark, where the task is one.
        suite: what another suite's task is, where the task is one.
        run_context: None in runs of before results could be made again.
    """

    name: Text
    protocol: Text
    version: int
    code: str | None = None
    options: Mapping[str, str | None]
    data_sha256: str
    probabilities: bool = False
    table: Definition | None = None
    suite: SuiteDefinition | None = None
    run_context: RunContext | None = None


def read_task_record(path: Path) -> TaskRecord:
    """Raises UserError if it is missing or damaged."""
    return checked(TaskRecord, renamed(read_object(path, AGAIN), TASK), str(path), AGAIN)


def write_task_record(path: Path, record: TaskRecord) -> None:
    found = record_json(record)
    seldom = ("code", "table", "suite", "run_context")
    write_json(path, {name: value for name, value in found.items() if name not in seldom or value is not None})
