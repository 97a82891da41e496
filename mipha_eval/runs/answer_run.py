"""An answer file as a stored run: beside it, under its name, so that whatever reads runs reads it, too."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mipha_eval import __version__
from mipha_eval.core.atomic import errors_naming, locked
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import open_regular, why
from mipha_eval.core.task import Task
from mipha_eval.data.questions import read_samples
from mipha_eval.engine.task_input import TaskInput, task_record
from mipha_eval.runs.score import score_questions
from mipha_eval.runs.task_result import Result
from mipha_eval.scoring.certificate import scorer_digest
from mipha_eval.scoring.run_context import RunContext
from mipha_eval.store.manifest import Manifest, write_manifest
from mipha_eval.store.migrations import FORMAT
from mipha_eval.store.responses import response_json
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.run_names import file_name
from mipha_eval.store.status import TaskStatus
from mipha_eval.store.task_record import TaskRecord

#: a file is read by so many bytes at a time
CHUNK = 1 << 20
#: keeps two processes from writing one run, as of any run
LOCK = "run"


@dataclass(frozen=True)
class AnswerRun:
    """What is to be stored, and where.

    Attributes:
        file: the answers, a file or a folder.
        folder: the run's.
        subset: whether answers to questions that are not asked are left out.
    """

    task: Task
    file: Path
    folder: Path
    subset: bool = False

    @classmethod
    def of(cls, task: Task, file: Path, kept: Path | None = None, *, subset: bool = False) -> AnswerRun:
        """With the folder that its run has.

        Args:
            kept: the folder that the run's folder is in; None for the file's own.
        """
        whole = file.absolute()
        if kept is None:
            beside = file.parent if file.name == whole.name else whole.parent
            return cls(task, file, beside / f"{whole.name}.{task.label}", subset)
        apart = hashlib.sha256(str(whole).encode()).hexdigest()[:6]  # files of one name come together there
        return cls(task, file, kept / f"{whole.name}.{apart}.{task.label}", subset)

    def stored(self) -> Path:
        """The run's folder, made unless one of the same file, task, questions and scoring code is there.

        Raises:
            UserError: the data is missing, the answers do not belong to the questions, or nothing can be written there.
        """
        if not self.file.exists():
            raise UserError(f"{self.file} does not exist; give a run folder, or a file of answers")
        samples = read_samples(self.task)
        work = TaskInput(self.task, samples, len(samples))
        record = task_record(work)
        identity = self._identity(record)
        with self._kept_elsewhere():
            self._check_place()
        if not self._is_there(identity):
            result = score_questions(self.task, samples, self.file, subset=self.subset)
            with self._kept_elsewhere():
                self.folder.mkdir(parents=True, exist_ok=True)
            with locked(self.folder / LOCK):
                self._write(work, record, identity, result)
        return self.folder

    @contextmanager
    def _kept_elsewhere(self) -> Iterator[None]:
        """Says what to do where nothing can be written beside the file."""
        try:
            yield
        except OSError as error:
            told = f"cannot write {self.folder}: {why(error)}; give a folder where the run of {self.file} may be kept"
            raise UserError(told, flag="--answer-runs") from error

    def _identity(self, record: TaskRecord) -> str:
        """A digest of all that decides the result."""
        same = [
            *(digest_of(self.file), scorer_digest(self.task), self.task.label, self.subset, FORMAT),
            *(record.data_sha256, dict(record.options), record.code, str(self.task.data), str(self.task.data.annotations)),
            {name: str(folder) for name, folder in self.task.data.image_dirs.items()},
        ]
        return hashlib.sha256(json.dumps(same).encode()).hexdigest()[:16]

    def _check_place(self) -> None:
        """Raises UserError if the folder holds something that is not the run of an answer file."""
        if not self.folder.is_dir():
            free = not self.folder.exists()
        elif (self.folder / "manifest.json").is_file():
            free = RunFolder.open(self.folder).manifest().answers is not None
        else:
            free = {entry.name for entry in self.folder.iterdir()} <= {f".{LOCK}.lock"}
        if not free:
            raise UserError(
                f"{self.folder} is in the way: the run of {self.file} is kept there; move it", flag="--answer-runs"
            )

    def _is_there(self, identity: str) -> bool:
        """Whether the folder holds this run; its result was written last."""
        run = RunFolder(self.folder)
        known = (run.path / "manifest.json").is_file() and run.manifest().identity == identity
        return known and (run.task(self.task.label).path / "result.json").is_file()

    def _write(self, work: TaskInput, record: TaskRecord, identity: str, result: Result) -> None:
        """Writes all of it in the place of what was there."""
        run, label, name, answers = RunFolder(self.folder), self.task.label, file_name(self.file), result.answers
        place, source = run.task(label), self.task.data
        with errors_naming(self.folder):
            if place.path.exists():
                shutil.rmtree(place.path)
        write_manifest(run.path / "manifest.json", self._manifest(identity, name))
        place.write_samples(work.samples)
        annotations = source.annotations.name if source.annotations else None
        context = RunContext(name, len(work.samples), False, source.kind == "demo", False, annotations)
        place.write_task(msgspec.structs.replace(record, run_context=context))
        with place.append_responses() as journal:
            given = [(sample, answers.responses.get(sample.id)) for sample in work.samples]
            journal.append(
                {"sample": sample.id, "key": work.request(sample).key, "images": [], **response_json(response)}
                for sample, response in given
                if response is not None
            )
        place.write_scores(answers.scores)
        found = msgspec.structs.replace(result.summary, model=name)
        counts = {key: getattr(found, key) for key in ("n", "missing", "failed", "unparsed")}
        run.set_status(label, TaskStatus("done", total=len(work.samples), answered=len(answers.responses), **counts))
        place.write_result(found)

    def _manifest(self, identity: str, name: str) -> Manifest:
        source = self.task.data
        return Manifest(
            schema=FORMAT,
            identity=identity,
            mipha_eval=__version__,
            model=name,
            data=str(source),
            annotations=str(source.annotations) if source.annotations else None,
            image_dirs={task: str(folder) for task, folder in source.image_dirs.items()},
            started=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            answers=str(self.file.absolute()),
        )


def digest_of(path: Path) -> str:
    """Identifies what is in a file, or in the files of a folder, by their names. Raises UserError if one cannot be read."""
    digest = hashlib.sha256()
    for file in _files(path):
        digest.update(f"{file.name if path.is_dir() else ''}\0{file.stat().st_size}\0".encode())
        try:
            with open_regular(file) as content:
                while part := content.read(CHUNK):
                    digest.update(part)
        except OSError as error:
            raise UserError(f"cannot read {file}: {why(error)}") from error
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from (file for file in sorted(path.iterdir()) if file.is_file())
