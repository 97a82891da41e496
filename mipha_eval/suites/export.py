"""A stored run as another suite would have written it: what it holds, the suite's files, and these in a folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mipha_eval.core.atomic import errors_naming
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.task_label import TaskLabel
from mipha_eval.core.types import Image, Sample
from mipha_eval.judge.stored_task import StoredTask, read_stored_tasks
from mipha_eval.reporting.marks import mark_texts
from mipha_eval.scoring.result_record import ResultRecord
from mipha_eval.store.manifest import Manifest
from mipha_eval.store.plain_name import plain_name
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.suites.write.answered import AnsweredTask, RunFacts, SuiteFile, Written
from mipha_eval.suites.write.suites import Suite, find_suite

#: bytes that a picture may have to stand in a file itself
SMALL_PICTURE = 32 * 1024


@dataclass(frozen=True)
class ExportSettings:
    """What is to be written.

    Attributes:
        run: the run's folder.
        suite: whose files, by the name that `find_suite` knows.
        folder: where they go; None for ``export/SUITE`` in the run.
        tasks: names or labels of those that are wanted; none for all.
        force: whether files that are there already may be replaced.
    """

    run: Path
    suite: str
    folder: Path | None = None
    tasks: Sequence[str] = ()
    force: bool = False


@dataclass(frozen=True)
class Exported:
    """What became of it.

    Attributes:
        folder: where the files are, below which the suite looks for them.
        notes: what does not stand in them, or otherwise than the suite has it, a sentence each.
        refused: task -> why the suite has no form for it.
    """

    folder: Path
    files: Sequence[Path]
    notes: Sequence[str]
    refused: dict[str, str]


def export_run(settings: ExportSettings, registry: Registry | None = None) -> Exported:
    """Writes the files of a suite; all are made before the first is written.

    Raises:
        UserError: the run or the suite is not there, it has no form for any of the tasks, two tasks are one to it, or a file
            is there already.
    """
    suite = find_suite(settings.suite)
    folder = RunFolder.open(settings.run)
    stored = _chosen(read_stored_tasks(settings.run, registry or Registry()), settings.tasks)
    manifest = folder.manifest()
    tasks = [_answered(each, manifest) for each in stored]
    refused = {task.label: why for task in tasks if (why := suite.refusal(task))}
    taken = [task for task in tasks if task.label not in refused]
    if not taken:
        reasons = "; ".join(f"{label}: {why}" for label, why in refused.items())
        raise UserError(f"{suite.title} has no form for any task of {settings.run}: {reasons}")
    written = list(suite.write(_facts(manifest, taken), taken))
    files = _unlike(suite, written)
    target = settings.folder or settings.run / "export" / settings.suite.lower()
    _write(target, files, force=settings.force)
    unfinished = [] if settings.tasks else sorted({*folder.tasks()} - {each.label for each in stored})
    notes = [note for each in written for note in each.notes]
    notes += [f"{label}: not finished, so left out" for label in unfinished]
    return Exported(target, [target / file.path for file in files], notes, refused)


def _chosen(stored: Sequence[StoredTask], names: Sequence[str]) -> Sequence[StoredTask]:
    """The tasks of given names. Raises UserError for a name that none has."""
    known = {each.label for each in stored} | {TaskLabel.of(each.label).plugin for each in stored}
    unknown = [name for name in names if name not in known]
    if unknown:
        labels = ", ".join(each.label for each in stored)
        raise UserError(f"{stored[0].run} has no result of {unknown[0]}; there are {labels}", flag="--tasks")
    return [each for each in stored if not names or {each.label, TaskLabel.of(each.label).plugin} & {*names}]


def _answered(stored: StoredTask, manifest: Manifest) -> AnsweredTask:
    """A task with its questions, whose small pictures can be read where their files still are."""
    place, result = RunFolder(stored.run).task(stored.label), stored.summary
    marks = mark_texts(result)
    limited, demo = bool(result.limited), bool(result.demo)
    own_rows = result.total in result.expected_rows and not result.annotations
    return AnsweredTask(
        label=stored.label,
        name=stored.record.name,
        protocol=stored.record.protocol,
        variation=TaskLabel.of(stored.label).variation,
        version=stored.record.version,
        samples=[_with_pictures(sample) for sample in place.samples()],
        responses={name: entry.response for name, entry in place.responses().items()},
        scores={score.sample: score for score in stored.scores},
        metrics=_headline_first(result),
        judge=stored.judge,
        total=result.total or 0,
        marks=tuple(marks),
        limited=limited,
        demo=demo,
        rows_of_hub=manifest.data.startswith("hub") and own_rows and not limited,
    )


def _headline_first(result: ResultRecord) -> dict[str, float]:
    first = {result.headline: result.metrics[result.headline]} if result.headline in result.metrics else {}
    return {**first, **result.metrics}


def _with_pictures(sample: Sample) -> Sample:
    images = tuple(dataclasses.replace(image, read=partial(_small_picture, image)) for image in sample.images)
    return dataclasses.replace(sample, images=images)


def _small_picture(image: Image) -> bytes:
    """Raises OSError where the file is not there any more, or is large."""
    path = Path(image.location)
    if path.stat().st_size > SMALL_PICTURE:
        raise OSError(f"{path} is no small picture")
    return path.read_bytes()


def _facts(manifest: Manifest, tasks: Sequence[AnsweredTask]) -> RunFacts:
    """The run beside its answers; its file name says what makes them another thing than the model's on the benchmarks."""
    limit = max((len(task.samples) for task in tasks if task.limited), default=None)
    told = {
        "demo": any(task.demo for task in tasks),
        manifest.asked_under or "": bool(manifest.asked_under),
        "limited": limit is not None,
    }
    return RunFacts(
        model=manifest.display_name,
        file_name="-".join([plain_name(manifest.display_name), *(name for name, holds in told.items() if holds)]),
        identity=manifest.identity,
        started=manifest.started,
        version=manifest.mipha_eval,
        data=manifest.data,
        options=manifest.options,
        packages=manifest.packages,
        limit=limit,
    )


def _unlike(suite: Suite, written: Sequence[Written]) -> list[SuiteFile]:
    """All files. Raises UserError where two tasks would write the same one."""
    writer: dict[str, str] = {}
    for each in written:
        for file in each.files:
            other = writer.setdefault(file.path, each.task)
            if other != each.task:
                raise UserError(f"{suite.title} has one task for {other} and {each.task}; choose one", flag="--tasks")
    return [file for each in written for file in each.files]


def _write(folder: Path, files: Sequence[SuiteFile], *, force: bool) -> None:
    """Raises UserError, before anything is written, for a file that is there and may not be replaced."""
    there = [folder / file.path for file in files if (folder / file.path).exists()]
    if there and not force:
        raise UserError(f"{there[0]} is there already; give another folder, or replace it", flag="--force")
    for file in files:
        path = folder / file.path
        temporary = path.with_name(f".{path.name}.new")
        with errors_naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(file.content)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
