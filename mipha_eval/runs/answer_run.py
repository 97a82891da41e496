"""An answer file as a stored run: beside it, under its name, so that whatever reads runs reads it, too."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
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
            return cls(task, file, whole.parent / f"{whole.name}.{task.label}", subset)
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
        with locked(self.folder):
            if not self._is_there(identity):
                result = score_questions(self.task, samples, self.file, subset=self.subset)
                self._write(work, record, identity, result)
        return self.folder

    def _identity(self, record: TaskRecord) -> str:
        """A digest of all that decides the result."""
        same = [
            *(digest_of(self.file), scorer_digest(self.task), self.task.label, self.subset, FORMAT),
            *(record.data_sha256, dict(record.options), record.code, str(self.task.data), str(self.task.data.annotations)),
        ]
        return hashlib.sha256(json.dumps(same).encode()).hexdigest()[:16]

    def _is_there(self, identity: str) -> bool:
        """Whether the folder holds this run. Raises UserError if it holds something that is not such a run."""
        if not self.folder.exists():
            return False
        try:
            manifest = RunFolder.open(self.folder).manifest()
        except UserError:
            manifest = None
        if manifest is None or manifest.answers is None:
            raise UserError(f"{self.folder} is in the way: the run of {self.file} is kept there; move it, or remove it")
        return manifest.identity == identity and (self.folder / self.task.label / "result.json").is_file()

    def _write(self, work: TaskInput, record: TaskRecord, identity: str, result: Result) -> None:
        """Writes all of it beside, then puts it in the place of what was there."""
        source, label = self.task.data, self.task.label
        manifest = Manifest(
            schema=FORMAT,
            identity=identity,
            mipha_eval=__version__,
            model=file_name(self.file),
            data=str(source),
            annotations=str(source.annotations) if source.annotations else None,
            image_dirs={name: str(folder) for name, folder in source.image_dirs.items()},
            started=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            answers=str(self.file.absolute()),
        )
        new = RunFolder(self.folder.with_name(f".{self.folder.name}.new"))
        with errors_naming(self.folder):
            if new.path.exists():
                shutil.rmtree(new.path)
            new.path.mkdir(parents=True)
        context = RunContext(
            manifest.model, len(work.samples), limited=False, demo=source.kind == "demo", blind=False,
            annotations=source.annotations.name if source.annotations else None,
        )  # fmt: skip
        write_manifest(new.path / "manifest.json", manifest)
        place, answers = new.task(label), result.answers
        place.write_samples(work.samples)
        place.write_task(msgspec.structs.replace(record, run_context=context))
        with place.append_responses() as journal:
            journal.append(
                {"sample": sample.id, "key": work.request(sample).key, "images": [], **response_json(response)}
                for sample in work.samples
                if (response := answers.responses.get(sample.id)) is not None
            )
        place.write_scores(answers.scores)
        found = msgspec.structs.replace(result.summary, model=manifest.model)
        place.write_result(found)
        counts = {key: getattr(found, key) for key in ("n", "missing", "failed", "unparsed")}
        new.set_status(label, TaskStatus("done", total=len(work.samples), answered=len(answers.responses), **counts))
        with errors_naming(self.folder):
            if self.folder.exists():
                shutil.rmtree(self.folder)
            new.path.replace(self.folder)


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
