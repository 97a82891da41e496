"""Scoring without the model: an answer file that any suite made, or a stored run again; perhaps with a judge."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mipha_eval.core.atomic import locked
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import parse_pairs
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.engine.self_check import equivalence_of
from mipha_eval.judge.grading import Grading, TaskAnswers, judge_answers, judges_of, stored_answers
from mipha_eval.judge.judged import Judged
from mipha_eval.judge.stored_task import stored_task
from mipha_eval.scoring.answer_files import read_answers
from mipha_eval.scoring.result import Result
from mipha_eval.store.run_folder import RunFolder


@dataclass(frozen=True)
class ScoreConfig:
    """What a user asks for; see ``mipha-eval score --help``."""

    task: str
    answers: Path
    data: str = "hub"
    annotations: Path | None = None
    options: Sequence[str] = ()
    subset: bool = False
    verdicts: Path | None = None


def score_file(config: ScoreConfig, registry: Registry, grading: Grading | None = None) -> Result:
    """Scores an answer file under ``task`` or ``task@protocol``.

    A judge's verdicts are kept beside the answers, or in the folder `config.verdicts`.

    Raises:
        UserError: the data is missing, or the answers do not belong to the task's questions.
    """
    source = dataclasses.replace(parse_source(config.data, {}), annotations=config.annotations)
    name = config.task.partition("@")[0].replace("-", "_")
    pairs = {key if "." in key else f"{name}.{key}": text for key, text in parse_pairs(config.options).items()}
    others = [key for key in pairs if not key.startswith(f"{name}.")]
    if others:
        raise UserError(f"option {others[0]} is of another task than {config.task}")
    task = build_task(config.task, pairs, source, registry)
    if grading is not None:
        grading.check([task])
    samples = read_samples(task)
    found = read_answers(config.answers, task, samples, subset=config.subset)
    answered = TaskAnswers(task, samples, found.responses)
    judged = None
    if grading is not None:
        # recorded grades are kept already
        folder = None if grading.choice is None else config.verdicts or config.answers.parent
        verdicts = grading.verdicts(folder, f"{config.answers.name}.{task.label}.")
        (judged,) = judge_answers([(answered, verdicts)], grading)
    result = answered.score(judged)
    doubts = {"left_out": found.left_out, "unverified": found.unverified, "undecoded": found.undecoded}
    run_context = {**doubts, "total": len(samples), "demo": source.kind == "demo"}
    return dataclasses.replace(result, summary={**result.summary, **run_context})


def score_run(path: Path, registry: Registry, grading: Grading | None = None) -> list[Result]:
    """Scores the stored responses of every task of a run again, from the run's own copy of questions and options.

    Each judge that has graded a task has a result of its own, beside one another; another judge is asked if `grading` brings
    one, and its result is kept with the run.

    Returns:
        The results of a task stand one after the other; with `grading`, those of tasks that it is for alone.
    """
    if not (path / "manifest.json").exists():
        raise UserError(f"{path} is no run folder; to score answers to a task give their file", flag="--answers FILE")
    folder = RunFolder.open(path)
    tasks = [read_answered(folder, label, registry) for label in folder.tasks()]
    if grading is None:
        return [result for answered in tasks for result in _score_again(answered, folder)]
    grading.check([answered.task for answered in tasks])
    with locked(folder.path / "run"):
        wanted = [answered for answered in tasks if grading.use.applies(answered.task)]
        for answered in wanted:
            _check_bare(answered, folder)
        judge_answers([(each, grading.verdicts(folder.task(each.task.label).path)) for each in wanted], grading)
        return [result for answered in wanted for result in _score_judged(answered, folder, grading.judge.name)]


def read_answered(folder: RunFolder, label: str, registry: Registry) -> TaskAnswers:
    """A task of a run, with the responses that belong to its questions as they are stored."""
    return stored_answers(folder, stored_task(folder, label, registry))


def _score_again(answered: TaskAnswers, folder: RunFolder) -> list[Result]:
    label = answered.task.label
    place = folder.task(label)
    folder.results_of(label)  # says so if a finished task's has gone
    context = place.read_task().get("run_context")
    if context is None:
        raise UserError(f"{place.path / 'task.json'} is damaged: it has no run_context; the same run writes it anew")
    run_context = {**context, **place.effort(), **equivalence_of(label, folder)}
    judges: list[Judged | None] = [*judges_of(folder.task(label).path)]
    results = [answered.score(judged) for judged in judges or [None]]
    return [dataclasses.replace(result, summary={**result.summary, **run_context}) for result in results]


def _score_judged(answered: TaskAnswers, folder: RunFolder, judge: str) -> list[Result]:
    results = _score_again(answered, folder)
    for result in results:
        if result.summary["judge"]["name"] == judge:
            folder.task(answered.task.label).write_judged(judge, result.summary)
    return results


def _check_bare(answered: TaskAnswers, folder: RunFolder) -> None:
    """Raises UserError for a run of before judges were, which does not hold what one is shown of a question with options."""
    task = answered.task
    if task.judged and task.lettered and not all(sample.question for sample in answered.samples):
        raise UserError(
            f"{folder.path} was made by an older mipha-eval and lacks what a judge of {task.label} is shown; "
            "the run's own command with a judge adds it, and asks the model nothing again"
        )
