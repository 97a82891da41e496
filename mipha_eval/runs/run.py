"""The whole order of a run: data, model, answers, scores, report. The one place that knows it."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.atomic import locked
from mipha_eval.core.errors import ControlError, MissingDataError, PluginError, UserError
from mipha_eval.core.floor import Floor
from mipha_eval.core.plugins.blame import blaming, told
from mipha_eval.core.plugins.checks.models import checked_expectation
from mipha_eval.core.plugins.code_digest import tell_of_edited
from mipha_eval.core.plugins.model import option_name
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.stage import stage
from mipha_eval.core.task import Task
from mipha_eval.data.images import image_digest
from mipha_eval.engine.backend import Backend
from mipha_eval.engine.background import BackgroundWorker
from mipha_eval.engine.interrupt import Interrupt
from mipha_eval.engine.self_check import SelfCheck
from mipha_eval.engine.task_input import TaskInput, check_images, check_ranking, prepare
from mipha_eval.reporting.summary import write_report
from mipha_eval.runs.backend import backend_of
from mipha_eval.runs.checks import check_control, check_labels, check_writable
from mipha_eval.runs.floor_loop import FloorLoop
from mipha_eval.runs.gains import find_gains
from mipha_eval.runs.groups import find_groups
from mipha_eval.runs.open_run import open_run
from mipha_eval.runs.run_loop import RunLoop
from mipha_eval.runs.settings import RunSettings
from mipha_eval.runs.siblings import siblings, take_answers
from mipha_eval.runs.stored_run import Run
from mipha_eval.runs.task_result import Answers, Result
from mipha_eval.runs.task_run import Digest, TaskRun, known_responses, note_failure, open_task
from mipha_eval.runs.unloaded import QuestionsLeftError, Unloaded, built, check_answered, note_loaded, recalled
from mipha_eval.scoring.installation import installation_digest
from mipha_eval.scoring.run_context import RunContext
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.run_log import early_messages
from mipha_eval.store.status import TaskStatus

if TYPE_CHECKING:
    from logging.handlers import MemoryHandler

logger = logging.getLogger(__name__)


class TasksFailedError(Exception):
    """Some tasks of a run have no result. Those of the others are there, and what was answered is stored.

    Attributes:
        run: with the others' results.
        failures: by the task's label, in the order in which they failed.
    """

    def __init__(self, run: Run, failures: Mapping[str, Exception]) -> None:
        super().__init__("; ".join(failures))
        self.run, self.failures = run, failures

    @property
    def reasons(self) -> dict[str, str]:
        """A line a task."""
        return {label: str(each) if isinstance(each, UserError) else told(each) for label, each in self.failures.items()}

    @property
    def only_data_missing(self) -> bool:
        """Whether nothing went wrong but that files of some tasks are not here."""
        return all(isinstance(error, MissingDataError) for error in self.failures.values())

    @property
    def error(self) -> Exception:
        """What to raise in its place: a bug of ours as it is, all else as a UserError in one line."""
        bug = next((error for error in self.failures.values() if not isinstance(error, UserError)), None)
        alike: dict[str, list[str]] = {}
        for label, reason in self.reasons.items():
            alike.setdefault(reason, []).append(label)
        return bug or UserError("; ".join(f"{', '.join(labels)}: {reason}" for reason, labels in alike.items()))


def run(settings: RunSettings) -> Run:
    """Evaluates a model on tasks, from top to bottom: questions, model, answers, scores, report.

    Returns:
        A result for each task. Stopped by Ctrl-C, questions that were not reached count as missing, and tasks whose scoring
        was given up have no result.

    Raises:
        UserError: anything that the user can mend, before a model was asked.
        TasksFailedError: a task has no result; the others have theirs.
    """
    with blaming(), early_messages() as early:
        done = recalled(settings)
        if done is not None:
            with suppress(QuestionsLeftError):
                return _run(done, early)
        return _run(built(settings), early)


def _run(settings: RunSettings, early: MemoryHandler) -> Run:
    adapter, grading = settings.model.adapter, settings.grading
    _ = settings.source  # one for all tasks
    check_labels(settings.tasks)
    check_control(settings)
    check_writable(settings.output)
    work, failures = prepared_tasks(settings)
    if grading is not None:
        grading.check([item.task for item in work])
    check_ranking(adapter, work)
    with grading.loaded() if grading else nullcontext(), backend_of(settings) as backend:
        started = time.perf_counter()
        with stage(f"loading {settings.model.name}"):
            settings = replace(settings, model=replace(settings.model, facts=backend.load()))
        logger.debug("model %s loaded in %.1f s", settings.model.name, time.perf_counter() - started)
        return _run_loaded(settings, work, failures, backend, early)


def _run_loaded(
    settings: RunSettings, work: Sequence[TaskInput], failures: dict[str, Exception], backend: Backend, early: MemoryHandler
) -> Run:
    """What follows once the model is loaded."""
    adapter, folder = settings.model.adapter, open_run(settings)
    logger.debug("the run is %s", folder.path)
    settings.begun(folder.path)
    with locked(folder.path / "run"), folder.log, Interrupt() as interrupt:
        folder.log.take(early)
        folder.raise_format()
        note_loaded(settings, folder)
        folder.note_datasets({name: sha for item in work for name, sha in item.task.data.revisions.items()})
        # not before the run is locked: another process may be counting its workers
        backend.first_worker, backend.tell = folder.manifest().next_worker, folder.note_workers
        unloaded = isinstance(adapter, Unloaded)
        for item in () if unloaded else work:  # what was done stays so, should the model not load after all
            folder.set_status(item.task.label, TaskStatus("pending", total=len(item.samples)))
        ready = "is loaded if a question is left" if unloaded else "ready"
        folder.log.note(f"model {settings.model.name} {ready}; tasks {', '.join(item.task.label for item in work)}")
        for label, error in failures.items():
            if label not in settings.failed:  # of these nobody knows the whole label
                note_failure(folder, label, error)
            else:
                folder.log.note(f"{label}: failed: {error}", logging.ERROR)
        results, failed = answer_and_score(work, folder, settings, backend, interrupt)
        failures |= failed
        folder.check_whole(result.task for result in results)
        tell_of_edited([type(adapter), *(type(item.task) for item in work)])
        folder.log.note("stopped by the user" if interrupt.asked() else "finished")
        gains = find_gains(folder, settings.tasks, Registry())
        backend.note()  # they were held until now
        write_report(folder, gains)
    groups, asked = find_groups(settings.tasks, results), {task.label for task in settings.tasks}
    gains = [gain for gain in gains if gain.task in asked]  # the report is on all tasks of the run
    found = Run(folder.path, folder.manifest().display_name, results, gains, groups, interrupt.asked())
    if failures:
        raise TasksFailedError(found, failures) from next(iter(failures.values()))
    return found


def prepared_tasks(settings: RunSettings) -> tuple[list[TaskInput], dict[str, Exception]]:
    """The tasks with their questions, and those without: their own code failed at that, their files are missing, or a
    control changes nothing of them; raises that if there are no others.
    """
    work: list[TaskInput] = []
    failures = dict(settings.failed)
    with stage("reading questions", len(settings.tasks), "tasks") as reading:
        for task in settings.tasks:
            try:
                with stage(task.label), blaming():
                    work.append(_prepared(task, settings))
            except (PluginError, ControlError, MissingDataError) as error:
                failures[task.label] = error
            reading.advance()
    if not work:
        raise next(error for name, error in failures.items() if name not in settings.failed)
    return work, failures


def _prepared(task: Task, settings: RunSettings) -> TaskInput:
    """A task with its questions."""
    model = settings.model
    asking = model.asking(task.name)
    item = prepare(task, settings.limit, settings.control, asking=asking, probabilities=settings.probabilities)
    if model.published and not model.published.knows(option_name(task.name)):
        logger.warning("%s: nobody says how the paper of %s asked it; it is asked as usual", task.label, model.name)
    if model.adapter.reads_images:
        check_images(item.samples)
    logger.debug("%s: %d of %d questions, from %s", task.label, len(item.samples), item.total, task.data)
    return item


def answer_and_score(
    work: Sequence[TaskInput], folder: RunFolder, settings: RunSettings, backend: Backend, interrupt: Interrupt
) -> tuple[list[Result], dict[str, Exception]]:
    """Asks for what is not stored yet, has it judged meanwhile, and scores everything.

    Returns:
        A result for each task, but for those that failed or were given up at Ctrl-C, and why the first did.
    """
    adapter, grading = settings.model.adapter, settings.grading
    digest, installation = digests(adapter, backend.digests), installation_digest()
    stopped: Exception | None = None
    failures: dict[str, Exception] = {}
    related = [] if settings.fresh else siblings(folder)
    with ExitStack() as stack:
        tasks = []
        for item in work:
            journal = stack.enter_context(folder.task(item.task.label).append_responses())
            try:
                with blaming():
                    task = open_task(item, folder, journal, run_context(item, settings), digest)
                task.installation = installation
                take_answers(task, settings.control, related)
                tasks.append(task)
            except PluginError as error:
                failures[item.task.label] = error
                note_failure(folder, item.task.label, error)
        check_answered(adapter, sum(len(task.todo) for task in tasks), stopped=interrupt.asked())
        proof = SelfCheck(folder, adapter, backend, settings.check, sum(bool(task.todo) for task in tasks))
        known = known_responses(tasks, adapter)
        with grading.session(interrupt.asked, quiet=settings.quiet) if grading else nullcontext() as session:
            if grading is not None and session is not None:
                for task in tasks:
                    task.send_to(grading, session, stack)
            try:
                with BackgroundWorker() as beside, blaming():
                    if isinstance(adapter, Floor):
                        FloorLoop(tasks, adapter, beside).ask_all()
                    else:
                        RunLoop(tasks, backend, proof, beside, interrupt.asked, known).ask_all(quiet=settings.quiet)
            except Exception as error:  # the model's or the disk's; what is answered is judged and scored all the same
                stopped = error
        for task in tasks:
            if task.judge_queue is not None and not (stopped and task.left):
                task.finish(proof.summary(task.label))
            if stopped and task.result is None and task.failure is None:
                task.fail(stopped)
    seal_results(tasks, installation)
    failures |= {task.label: task.failure for task in tasks if task.failure is not None}
    return [result for task in tasks if (result := result_of(task)) is not None], failures


def seal_results(tasks: Sequence[TaskRun], installation: str) -> None:
    """Notes what results were made of; not of those that were made while the code that makes them was edited."""
    if any(task.anew for task in tasks) and installation_digest() != installation:
        return
    for task in tasks:
        task.seal()


def result_of(task: TaskRun) -> Result | None:
    """What became of a task, with its answers; None if it has no result."""
    if task.result is None:
        return None
    own = Answers(task.work.samples, task.responses, task.result.scores)
    return Result(task.result.summary, lambda: own)


def run_context(work: TaskInput, settings: RunSettings) -> RunContext:
    """What a result says of the model and the data beside its numbers."""
    annotations, model = work.task.data.annotations, settings.model
    adapter, label = model.adapter, work.task.name
    expectation = (
        checked_expectation(adapter, adapter.expectation(work.task, work.benchmark, work.samples))
        if isinstance(adapter, Floor)
        else {}
    )
    return RunContext(
        model=model.name,
        total=work.total,
        limited=len(work.samples) < work.total,
        demo=work.task.data.kind == "demo",
        blind=settings.control == "blind",
        annotations=annotations.name if annotations else None,
        control=settings.control,
        floor=adapter.floor or None,
        expectation=expectation or None,
        asked=model.changed(label) or None,
        as_published=model.as_published(label) or None,
        differs=model.differs(label) or None,
        settings_left_out=model.facts.left_out or None,
    )


def digests(adapter: ModelAdapter, read: Mapping[str, str]) -> Digest:
    """How images are identified: by their bytes, read once a run, unless the model never looks at one.

    Args:
        read: digests of those that another process has read, by location; more come while the run goes on.
    """
    if not adapter.reads_images:
        return lambda _: ""
    own = functools.cache(image_digest)
    return lambda image: read.get(image.location) or own(image)
