"""Run folders: written line by line while a run goes on, read again to resume, to score and to report."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mipha_eval.core.atomic import errors_naming
from mipha_eval.core.errors import UserError
from mipha_eval.scoring.result_record import ResultRecord
from mipha_eval.store.equivalence import Check, Checks, read_checks, write_checks
from mipha_eval.store.manifest import (
    Manifest,
    check_format,
    note_datasets,
    note_workers,
    raise_format,
    read_manifest,
    write_manifest,
)
from mipha_eval.store.plain_name import plain_name
from mipha_eval.store.results import read_result
from mipha_eval.store.rows import AGAIN
from mipha_eval.store.run_log import RunLog
from mipha_eval.store.status import TaskStatus, read_status, write_status
from mipha_eval.store.task_folder import TaskFolder
from mipha_eval.store.worker_record import WorkerRecord

#: what a task that has begun has in its folder
BEGUN = ("samples.jsonl", "task.json", "responses.jsonl", "scores.jsonl", "result.json")


class RunFolder:
    """One run: ``manifest.json``, ``status.json``, and a folder for each task."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = RunLog(path / "log.txt")

    @classmethod
    def create(cls, parent: Path, manifest: Manifest) -> RunFolder:
        """Makes ``<model>-<checkpoint>__<date-time>__<id>`` under `parent` with its manifest."""
        model = plain_name(manifest.display_name.replace(" ", "-"))
        name = f"{model}__{time.strftime('%Y%m%d-%H%M%S')}__{secrets.token_hex(3)}"
        run = cls(parent / name)
        with errors_naming(run.path):
            run.path.mkdir(parents=True)
            write_manifest(run.path / "manifest.json", manifest)
        return run

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Raises UserError if `path` is no run, or one of a newer version."""
        if not (path / "manifest.json").exists():
            raise UserError(f"{path} is no run folder: {_why_none(path)}")
        run = cls(path)
        check_format(run.manifest(), path)
        return run

    @classmethod
    def find(cls, parent: Path, identity: str) -> RunFolder | None:
        """The newest run under `parent` with the same model, options and data; one of a newer version is a UserError."""
        same = []
        for path in parent.glob("*/manifest.json"):
            with contextlib.suppress(UserError):  # a broken manifest is no run to go on with
                if cls(path.parent).manifest().identity == identity:
                    same.append(cls(path.parent))
        newest = max(same, key=lambda run: run.path.name.split("__")[-2:], default=None)
        return newest and cls.open(newest.path)

    def manifest(self) -> Manifest:
        """Raises UserError if it is missing or damaged."""
        return read_manifest(self.path / "manifest.json")

    def raise_format(self) -> None:
        """Notes in the manifest that what is written now is of today's format. Raises UserError if it is damaged."""
        raise_format(self.path / "manifest.json")

    def note_workers(self, workers: Sequence[WorkerRecord]) -> None:
        """Notes in the manifest who answers, and at the end what each has done: a worker's new record is in place of its
        last. Raises UserError if the manifest is damaged.
        """
        note_workers(self.path / "manifest.json", workers)

    def note_datasets(self, revisions: Mapping[str, str]) -> None:
        """Notes in the manifest which revisions of the hub's datasets were read. Raises UserError if it is damaged."""
        if revisions:
            note_datasets(self.path / "manifest.json", revisions)

    def task(self, label: str) -> TaskFolder:
        return TaskFolder(self.path / label)

    def tasks(self) -> list[str]:
        """Labels of the tasks that the run has begun, as the status says it, or a file of theirs.

        One that failed before it had questions, since its own files are missing, has begun nothing.
        """
        begun = {label for label, task in self.status().items() if task.state not in ("pending", "failed")}
        return sorted(begun | {path.parent.name for name in BEGUN for path in self.path.glob(f"*/{name}")})

    def status(self) -> dict[str, TaskStatus]:
        """Where each task is. Raises UserError if the file is damaged."""
        return read_status(self.path / "status.json")

    def set_status(self, label: str, status: TaskStatus) -> None:
        """Notes where a task is."""
        write_status(self.path / "status.json", label, status)

    def results_of(self, label: str) -> list[ResultRecord]:
        """The run's own result of a task, then those that further judges led to; none before the task is finished.

        Raises:
            UserError: one is damaged, or the task is finished and its result is missing.
        """
        found = self.task(label).results()
        task = self.status().get(label)
        if not found and task is not None and task.state == "done":
            raise UserError(f"{self.path / label / 'result.json'} is missing, though the task is finished; {AGAIN}")
        return found

    def results(self) -> list[ResultRecord]:
        """The results of all tasks that have one, and those that further judges led to."""
        return [read_result(path) for path in sorted(self.path.glob("*/result*.json"))]

    def check_whole(self, labels: Iterable[str]) -> None:
        """Raises UserError if a file that this run has written is not there any more."""
        files = [self.path / "manifest.json", *(self.path / label / name for label in labels for name in BEGUN)]
        gone = [file for file in files if not file.is_file()]
        if gone:
            raise UserError(f"{gone[0]} was removed while the run went on; the same command writes it anew")

    def equivalence(self) -> Sequence[Check]:
        """What ``equivalence.json`` has on answers that were made again alone; nothing if it is not there."""
        return read_checks(self.path / "equivalence.json")

    def write_equivalence(self, found: Checks) -> None:
        write_checks(self.path / "equivalence.json", found)


def _why_none(path: Path) -> str:
    """Why a path is no run folder, and what may be meant."""
    if not path.exists():
        return "it does not exist"
    for places in ("*/", "*/*/") if path.is_dir() else ():
        inside = len(list(path.glob(f"{places}manifest.json")))
        if inside:
            runs = "1 run" if inside == 1 else f"{inside} runs"
            some = f"it holds {runs}: name some, or all as {path}/{places} (mipha-eval leaderboard takes {path})"
            return f"it has no manifest.json; {some}"
    return "it has no manifest.json"
