"""Scoring without the model: an answer file that any suite made, or a stored run again; perhaps with a judge."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import msgspec

from mipha_eval.core.atomic import locked
from mipha_eval.core.errors import UserError
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample
from mipha_eval.data.questions import read_samples
from mipha_eval.engine.self_check import equivalence_of
from mipha_eval.judge.grading import Grading, TaskAnswers, judge_answers, judges_of, stored_answers
from mipha_eval.judge.judged import Judged
from mipha_eval.judge.stored_task import stored_task
from mipha_eval.runs.task_result import Answers, Result
from mipha_eval.scoring.answer_files import AS_GIVEN, AnswerFile, Taken, read_answers
from mipha_eval.scoring.result import Scored
from mipha_eval.scoring.result_record import Effort, ResultRecord
from mipha_eval.store.effort import effort_of
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.task_folder import TaskFolder
from mipha_eval.store.workers_note import workers_note

#: what is counted when an answer file is read
OF_FILES = ("left_out", "unverified", "undecoded")


def score_file(
    task: Task,
    answers: Path,
    grading: Grading | None = None,
    *,
    taken: Taken = AS_GIVEN,
    verdicts: Path | None = None,
) -> Result:
    """Scores an answer file.

    Args:
        verdicts: the folder for a judge's verdicts; None keeps them beside the answers.

    Raises:
        UserError: the data is missing, or the answers do not belong to the task's questions.
    """
    if not answers.exists():  # before the questions are sought
        raise UserError(f"answer file {answers} does not exist")
    if grading is not None:
        grading.check([task])
    samples = read_samples(task)
    found = read_answers(answers, task, samples, taken)
    answered = TaskAnswers(task, samples, found.responses)
    judged = None
    if grading is not None:
        # recorded grades are kept already
        folder = None if grading.choice is None else verdicts or answers.parent
        kept = grading.verdicts(folder, f"{answers.name}.{task.label}.")
        (judged,) = judge_answers([(answered, kept)], grading)
    return _of_file(answered, found, answered.score(judged))


def score_questions(task: Task, samples: Sequence[Sample], answers: Path, *, subset: bool = False) -> Result:
    """Scores an answer file without a judge, of questions that have been read; see `score_file`."""
    found = read_answers(answers, task, samples, Taken(subset=subset))
    answered = TaskAnswers(task, samples, found.responses)
    return _of_file(answered, found, answered.score(None))


def _of_file(answered: TaskAnswers, found: AnswerFile, scored: Scored) -> Result:
    """With what is to be said of the file."""
    summary = msgspec.structs.replace(
        scored.summary,
        left_out=found.left_out,
        unverified=found.unverified,
        undecoded=found.undecoded,
        total=len(answered.samples),
        demo=answered.task.data.kind == "demo",
    )
    return _with_answers(answered, dataclasses.replace(scored, summary=summary))


def score_run(path: Path, registry: Registry, grading: Grading | None = None) -> list[Result]:
    """Scores the stored responses of every task of a run again, from the run's own copy of questions and options.

    Each judge that has graded a task has a result of its own, beside one another; another judge is asked if `grading` brings
    one, and its result is kept with the run.

    Returns:
        The results of a task stand one after the other; with `grading`, those of tasks that it is for alone.
    """
    if not (path / "manifest.json").exists():
        raise UserError(
            f"{path} is no run folder: it has no manifest.json; to score answers to a task give their file",
            flag="--answers FILE",
        )
    folder = RunFolder.open(path)
    tasks = [read_answered(folder, label, registry) for label in folder.tasks()]
    if grading is None:
        return [_with_answers(answered, scored) for answered in tasks for scored in _score_again(answered, folder)]
    grading.check([answered.task for answered in tasks])
    with locked(folder.path / "run"):
        folder.raise_format()
        wanted = [answered for answered in tasks if grading.use.applies(answered.task)]
        for answered in wanted:
            _check_bare(answered, folder)
        judge_answers([(each, grading.verdicts(folder.task(each.task.label).path)) for each in wanted], grading)
        name = grading.judge.name
        return [_with_answers(answered, scored) for answered in wanted for scored in _score_judged(answered, folder, name)]


def _with_answers(answered: TaskAnswers, scored: Scored) -> Result:
    own = Answers(answered.samples, answered.responses, scored.scores)
    return Result(scored.summary, lambda: own)


def read_answered(folder: RunFolder, label: str, registry: Registry) -> TaskAnswers:
    """A task of a run, with the responses that belong to its questions as they are stored."""
    return stored_answers(folder, stored_task(folder, label, registry))


def _score_again(answered: TaskAnswers, folder: RunFolder) -> list[Scored]:
    label = answered.task.label
    place = folder.task(label)
    folder.results_of(label)  # says so if a finished task's has gone
    context = place.read_task().run_context
    if context is None:
        raise UserError(f"{place.path / 'task.json'} is damaged: it has no run_context; the same run writes it anew")
    effort = effort_of(answered.responses, answered.took, place.effort_of_all(), Effort())
    checks = equivalence_of(label, folder)
    note = workers_note(answered.responses.values(), folder.manifest())
    judges: list[Judged | None] = [*judges_of(folder.task(label).path)]
    results = [answered.score(judged) for judged in judges or [None]]
    told = [result.summary.of_run(context, effort, checks, note) for result in results]
    if folder.manifest().answers is not None:
        told = [_with_counts(summary, place) for summary in told]
    return [dataclasses.replace(result, summary=summary) for result, summary in zip(results, told, strict=True)]


def _with_counts(summary: ResultRecord, place: TaskFolder) -> ResultRecord:
    """With what was counted when an answer file was read, of which a run was made."""
    before = place.results()[0]
    return msgspec.structs.replace(
        summary, **{name: getattr(before, name) for name in OF_FILES}, seconds=None, timed=None, limited=None, blind=None
    )


def _score_judged(answered: TaskAnswers, folder: RunFolder, judge: str) -> list[Scored]:
    results = _score_again(answered, folder)
    for result in results:
        if result.summary.judged_by == judge:
            folder.task(answered.task.label).write_judged(judge, result.summary)
    return results


def _check_bare(answered: TaskAnswers, folder: RunFolder) -> None:
    """Raises UserError for a run of before judges were, which does not hold what one is shown of a question with options."""
    task = answered.task
    if isinstance(task, JudgedTask) and task.lettered and not all(sample.question for sample in answered.samples):
        raise UserError(
            f"{folder.path} was made by an older mipha-eval and lacks what a judge of {task.label} is shown; "
            "the run's own command with a judge adds it, and asks the model nothing again"
        )
