"""The whole order of a run: data, model, answers, scores, report. The one place that knows it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import logging
import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mipha_eval import __version__
from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.atomic import errors_naming, locked
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import MissingDataError, PluginError, UserError
from mipha_eval.core.options import option_fields, parse_pairs
from mipha_eval.core.plugins.blame import blaming, told
from mipha_eval.core.plugins.checks.models import model_facts
from mipha_eval.core.plugins.code_digest import code_digest
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import ModelChoice, build_adapter, build_tasks
from mipha_eval.core.task import Task
from mipha_eval.data.images import image_digest
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import has_samples
from mipha_eval.engine.background import BackgroundWorker
from mipha_eval.engine.engine import Engine
from mipha_eval.engine.interrupt import Interrupt
from mipha_eval.engine.self_check import SelfCheck
from mipha_eval.engine.task_input import TaskInput, check_images, prepare
from mipha_eval.judge.grading import Grading, begin_grading
from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.runs.run_loop import RunLoop
from mipha_eval.runs.task_run import Digest, known_responses, note_failure, open_task
from mipha_eval.scoring.result import Result
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.run_log import early_messages

if TYPE_CHECKING:
    from logging.handlers import MemoryHandler

logger = logging.getLogger(__name__)

PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "pillow", "numpy", "datasets")


@dataclass(frozen=True)
class RunConfig:
    """What a user asks for; see ``mipha-eval run --help``."""

    tasks: Sequence[str]
    model: ModelChoice
    data: str | None = None
    annotations: Path | None = None
    image_dirs: Mapping[str, Path] = field(default_factory=dict)
    output: Path = Path("results/runs")
    limit: int | None = None
    batch_size: int | None = None
    blind: bool = False
    fresh: bool = False
    quiet: bool = False
    check: int | None = None
    probabilities: bool = False
    judge: JudgeChoice | None = None
    grades: Path | None = None


class TasksFailedError(Exception):
    """Some tasks of a run have no result. Those of the others are there, and what was answered is stored.

    Attributes:
        failures: by the task's label, in the order in which they failed.
    """

    def __init__(self, folder: RunFolder, results: list[Result], failures: Mapping[str, Exception]) -> None:
        super().__init__("; ".join(failures))
        self.folder, self.results, self.failures = folder, results, failures

    @property
    def reasons(self) -> dict[str, str]:
        """A line a task."""
        return {label: str(each) if isinstance(each, UserError) else told(each) for label, each in self.failures.items()}

    @property
    def error(self) -> Exception:
        """What to raise in its place: a bug of ours as it is, all else as a UserError in one line."""
        bug = next((error for error in self.failures.values() if not isinstance(error, UserError)), None)
        alike: dict[str, list[str]] = {}
        for label, reason in self.reasons.items():
            alike.setdefault(reason, []).append(label)
        return bug or UserError("; ".join(f"{', '.join(labels)}: {reason}" for reason, labels in alike.items()))


def run(config: RunConfig, registry: Registry) -> tuple[RunFolder, list[Result]]:
    """Evaluates a model on tasks.

    Returns:
        The run's folder and a result for each task. Stopped by Ctrl-C, questions that were not reached count as missing.

    Raises:
        UserError: anything that the user can mend, before a model was asked.
        TasksFailedError: a task has no result; the others have theirs.
    """
    with blaming(), early_messages() as early:
        return _run(config, registry, early)


def _run(config: RunConfig, registry: Registry, early: MemoryHandler) -> tuple[RunFolder, list[Result]]:
    check_writable(config.output)
    adapter, data_default = build_adapter(config.model, registry)
    source = parse_source(config.data or data_default or "hub", config.image_dirs)
    source = dataclasses.replace(source, annotations=config.annotations)
    work, failures = _prepared(config, source, registry)
    if adapter.reads_images:
        for item in work:
            check_images(item.samples)
    grading = begin_grading(config.judge, config.grades, registry)
    if grading is not None:
        grading.check([item.task for item in work])
    started = time.perf_counter()
    adapter.load()
    logger.debug("model %s loaded in %.1f s", config.model.name, time.perf_counter() - started)
    folder = open_run(config, adapter, source)
    logger.debug("the run is %s", folder.path)
    with locked(folder.path / "run"), folder.log, Interrupt() as interrupt:
        folder.log.take(early)
        for item in work:
            folder.set_status(item.task.label, "pending", total=len(item.samples))
        folder.log.note(f"model {config.model.name} ready; tasks {', '.join(item.task.label for item in work)}")
        for label, error in failures.items():
            note_failure(folder, label, error)
        results, failed = answer_and_score(work, folder, Models(adapter, grading), config, interrupt)
        failures |= failed
        folder.check_whole(item.task.label for item in work if item.task.label not in failures)
        folder.log.note("stopped by the user" if interrupt.asked() else "finished")
    if failures:
        raise TasksFailedError(folder, results, failures) from next(iter(failures.values()))
    return folder, results


def _prepared(config: RunConfig, source: DataSource, registry: Registry) -> tuple[list[TaskInput], dict[str, Exception]]:
    """The tasks with their questions, and those whose own code failed at that; raises that if there are no others."""
    work: list[TaskInput] = []
    failures: dict[str, Exception] = {}
    for task in find_tasks(config, source, registry):
        try:
            with blaming():
                item = prepare(task, config.limit, blind=config.blind)
            work.append(dataclasses.replace(item, probabilities=config.probabilities))
            logger.debug("%s: %d of %d questions, from %s", task.label, len(item.samples), item.total, source)
        except PluginError as error:
            failures[task.label] = error
    if not work:
        raise next(iter(failures.values()))
    return work, failures


@dataclass(frozen=True)
class Models:
    """Who is asked: the model that is evaluated, and who grades what it says."""

    adapter: ModelAdapter
    grading: Grading | None = None


def answer_and_score(
    work: Sequence[TaskInput], folder: RunFolder, models: Models, config: RunConfig, interrupt: Interrupt
) -> tuple[list[Result], dict[str, Exception]]:
    """Asks for what is not stored yet, has it judged meanwhile, and scores everything.

    Returns:
        A result for each task, but for those that failed, and why these did.
    """
    adapter = models.adapter
    digest = digests(adapter)
    stopped: Exception | None = None
    failures: dict[str, Exception] = {}
    with ExitStack() as stack:
        tasks = []
        for item in work:
            journal = stack.enter_context(folder.task(item.task.label).append_responses())
            try:
                with blaming():
                    tasks.append(open_task(item, folder, journal, run_context(item, config), digest))
            except PluginError as error:
                failures[item.task.label] = error
                note_failure(folder, item.task.label, error)
        proof = SelfCheck(folder, adapter, config.check, sum(bool(task.todo) for task in tasks))
        engine = Engine(adapter, config.batch_size, stop=interrupt.asked, known=known_responses(tasks, adapter))
        grading = models.grading
        with grading.session(interrupt.asked, quiet=config.quiet) if grading else nullcontext() as session:
            if grading is not None and session is not None:
                for task in tasks:
                    task.send_to(grading, session, stack)
            try:
                with BackgroundWorker() as beside, blaming():
                    RunLoop(tasks, engine, proof, beside).ask_all(quiet=config.quiet)
            except Exception as error:  # the model's or the disk's; what is answered is judged and scored all the same
                stopped = error
        for task in tasks:
            if task.judge_queue is not None and not (stopped and task.left):
                task.finish(proof.summary(task.label))
            if stopped and task.result is None and task.failure is None:
                task.fail(stopped)
    failures |= {task.label: task.failure for task in tasks if task.failure is not None}
    return [task.result for task in tasks if task.result is not None], failures


def find_tasks(config: RunConfig, source: DataSource, registry: Registry) -> list[Task]:
    """The tasks that were named; ``all`` stands for those whose files the data source has."""
    names = [name for name in config.tasks if name != "all"]
    if "all" in config.tasks:
        for name in registry.names("tasks"):
            try:
                (task,) = build_tasks([name], (), dataclasses.replace(source, image_dirs={}), registry)
                has_samples(task)
                names.append(name)
            except UserError as error:
                level = logging.INFO if isinstance(error, MissingDataError) else logging.WARNING
                logger.log(level, "left out %s: %s", name, error)
        if not names:
            raise UserError(f"{source} has the files of no task")
    return build_tasks(names, config.model.options, source, registry)


def open_run(config: RunConfig, adapter: ModelAdapter, source: DataSource) -> RunFolder:
    """The run that was begun with the same model and data, else a new one."""
    same = {
        "model": config.model.name,
        "options": {key: str(getattr(adapter, key)) for key in option_fields(type(adapter))},
        "task_options": {key: text for key, text in parse_pairs(config.model.options).items() if "." in key},
        "weights": model_facts(adapter, "describe"),
        "data": str(source),
        "annotations": source.annotations,
        "image_dirs": dict(source.image_dirs),
        "blind": config.blind,
        **({"code": code} if (code := code_digest(type(adapter))) else {}),
    }
    identity = hashlib.sha256(json.dumps(same, sort_keys=True, default=str).encode()).hexdigest()[:16]
    found = None if config.fresh else RunFolder.find(config.output, identity)
    if found is not None:
        return found
    manifest = {
        "identity": identity,
        "mipha_eval": __version__,
        "argv": sys.argv[1:],
        "config": dataclasses.asdict(config),
        **same,
        "about": model_facts(adapter, "about"),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "packages": _package_versions(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    return RunFolder.create(config.output, config.model.name, json.loads(json.dumps(manifest, default=str)))


def _package_versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def run_context(work: TaskInput, config: RunConfig) -> dict[str, Any]:
    """What a result says of the model and the data beside its numbers."""
    return {
        "model": config.model.name,
        "total": work.total,
        "limited": len(work.samples) < work.total,
        "demo": work.task.data.kind == "demo",
        "blind": config.blind,
        "annotations": config.annotations and config.annotations.name,
    }


def digests(adapter: ModelAdapter) -> Digest:
    """How images are identified: by their bytes, read once a run, unless the model never looks at one."""
    return functools.cache(image_digest) if adapter.reads_images else lambda _: ""


def check_writable(folder: Path) -> None:
    """Raises UserError before any work if results could not be stored."""
    with errors_naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
