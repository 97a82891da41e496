"""``result.json``: a task's numbers as a run keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mipha_eval.core.atomic import write_json
from mipha_eval.core.files import read_json, read_object
from mipha_eval.scoring.result_record import HINT, ResultRecord, read_record, result_json
from mipha_eval.store.migrations import migrated_result
from mipha_eval.store.rows import AGAIN


def read_result(path: Path) -> ResultRecord:
    """The result of a task. Raises UserError if it is missing or damaged."""
    return read_record(migrated_result(read_object(path, AGAIN)), str(path))


def write_result(path: Path, result: ResultRecord) -> None:
    write_json(path, result_json(result))


def read_printed(path: Path) -> tuple[list[ResultRecord], bool]:
    """What ``score --json`` printed, and whether it is a list of results. Raises UserError if it is something else."""
    content = read_json(path, HINT)
    entries = content if isinstance(content, list) else [content]
    return [read_record(migrated_result(entry), str(path)) for entry in entries], isinstance(content, list)


def choose_result(results: Sequence[ResultRecord], judge: str | None = None) -> ResultRecord:
    """Of the run's own result and those of further judges the one that is wanted.

    Args:
        judge: whose result is wanted where there are several; by default the run's own, or the only other one if that has no
            headline: a judged task that the run itself did not judge.
    """
    own, *others = results
    if judge is not None:
        return next((result for result in results if result.judged_by == judge), own)
    return others[0] if len(others) == 1 and own.headline not in own.metrics else own
