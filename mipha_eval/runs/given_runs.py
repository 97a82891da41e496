"""What a user gives to be compared or shown: run folders, results of files, and answer files, which become run folders."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task, of_task
from mipha_eval.core.task import Task
from mipha_eval.core.task_label import TaskLabel
from mipha_eval.data.parse_source import parse_source
from mipha_eval.runs.answer_run import AnswerRun
from mipha_eval.runs.told_task import told_task
from mipha_eval.store.quoted import is_results
from mipha_eval.store.run_folder import RunFolder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnswerSettings:
    """How answer files are read.

    Attributes:
        tasks: what they answer, by name or label; one, unless a file says it itself, as in ``pope=A.jsonl``.
        data: as a user types it; None for that of the runs beside them, or the usual one.
        annotations, image_dirs: in place of the data's own.
        options: of the tasks, by name, or as ``TASK.key``.
        subset: leave out answers to questions that are not asked.
        folder: where their runs are kept; None for beside each file.
        results: whether files of results without answers may stand among them.
        usual: the data where nobody names any, and no run beside a file has it; "" for the hub.
    """

    tasks: Sequence[str] = ()
    data: str | None = None
    annotations: Path | None = None
    image_dirs: Mapping[str, Path] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    subset: bool = False
    folder: Path | None = None
    results: bool = True
    usual: str = ""


def with_answers(paths: Sequence[Path], settings: AnswerSettings, registry: Registry) -> list[Path]:
    """The same paths, each answer file among them being replaced by the folder of the run that it is stored as.

    Folders are taken for answers only where it is said to what.

    Raises:
        UserError: nobody says to which task a file's answers are, or they cannot be scored.
    """
    given = [_named(path) for path in paths]
    bare = next((path for _, path in given if not settings.results and path.is_file() and is_results(path)), None)
    if bare is not None:
        raise UserError(
            f"{bare} has results and no answers, so that there is nothing to look at; report and compare take it"
        )
    runs = [RunFolder(path) for _, path in given if _is_run(path)]
    return [
        AnswerRun.of(_task(task, path, settings, runs, registry), path, settings.folder, subset=settings.subset).stored()
        if _is_answers(task, path, settings)
        else path
        for task, path in given
    ]


def _named(path: Path) -> tuple[str, Path]:
    """A path and the task that stands before it; a path that is there is one as it is."""
    task, mark, rest = str(path).partition("=")
    return (task, Path(rest)) if mark and task and rest and not path.exists() else ("", path)


def _is_run(path: Path) -> bool:
    return (path / "manifest.json").is_file()


def _is_answers(task: str, path: Path, settings: AnswerSettings) -> bool:
    if path.is_dir():
        return not _is_run(path) and bool(task or (settings.tasks and not any(path.rglob("manifest.json"))))
    return bool(task) or (path.is_file() and not is_results(path))


def _task(named: str, path: Path, settings: AnswerSettings, runs: Sequence[RunFolder], registry: Registry) -> Task:
    """What a file's answers are to: as it is named, as its suite says in it, or as the runs beside it have it."""
    if not named:
        named = _told(path, settings, registry)
    if not named and len(settings.tasks) > 1:
        raise UserError(f"{path}: {', '.join(settings.tasks)} are several tasks; say whose answers it has as TASK={path}")
    wanted = named or next(iter(settings.tasks), "")
    found = {label: run for run in runs for label in run.tasks() if _is_of(label, wanted)}
    if not wanted and len(found) != 1:
        several = f", the runs beside it have {', '.join(found)}" if found else ""
        raise UserError(
            f"{path} is no run folder and no result; if it holds answers, say to which task{several}", flag="--task"
        )
    if len(found) == 1:
        (label,) = found
        return _as_in_run(found[label], label, settings, registry)
    return build_task(wanted, of_task(wanted, settings.options), _source(settings), registry)


def _told(path: Path, settings: AnswerSettings, registry: Registry) -> str:
    """The task that a file itself names, where no one task is named for it; "" where it names none, or another one."""
    if len(settings.tasks) == 1:
        return ""
    told = told_task(path, registry)
    if told is None:
        return ""
    meant = [task for task in settings.tasks if TaskLabel.of(task).plugin == TaskLabel.of(told).plugin]
    if settings.tasks:
        return meant[0] if len(meant) == 1 else ""
    logger.info("%s says that it answers %s", path, told)
    return told


def _is_of(label: str, wanted: str) -> bool:
    return not wanted or wanted in (label, TaskLabel.of(label).plugin)


def _as_in_run(run: RunFolder, label: str, settings: AnswerSettings, registry: Registry) -> Task:
    """The task of a run, with its options and, unless others are named, its data."""
    record = run.task(label).read_task()
    if record.table is not None or record.suite is not None:
        raise UserError(f"{label} of {run.path} is made of a definition; name it as it was named for the run", flag="--task")
    own = {f"{record.name.replace('-', '_')}.{key}": text for key, text in record.options.items() if text is not None}
    source = _source(settings) if settings.data or settings.annotations else _source_of(run)
    return build_task(label, {**own, **of_task(label, settings.options)}, source, registry)


def _source(settings: AnswerSettings) -> DataSource:
    # the folder of annotations is the data where none is named
    text = settings.data or settings.usual or (str(settings.annotations.parent) if settings.annotations else "hub")
    return parse_source(text, settings.image_dirs, settings.annotations)


def _source_of(run: RunFolder) -> DataSource:
    """The data that a run was made of."""
    manifest = run.manifest()
    annotations = Path(manifest.annotations) if manifest.annotations else None
    return parse_source(manifest.data, {name: Path(folder) for name, folder in manifest.image_dirs.items()}, annotations)
