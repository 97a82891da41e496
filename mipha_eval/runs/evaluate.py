"""Evaluating and scoring: names, objects and values in, runs and results out; the command line calls these, too."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from mipha_eval.cluster.settings import WorkerSettings, worker_settings
from mipha_eval.core.controls import chosen_control
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import as_texts
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.plugins.references import split_names
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task, of_task, split_options
from mipha_eval.core.task import Task
from mipha_eval.data.parse_source import parse_source
from mipha_eval.engine.progress.screen import shown_progress
from mipha_eval.judge.grading import Grading, begin_grading
from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.runs.asked_model import AnyModel, AskedModel
from mipha_eval.runs.callable_model import CallableModel
from mipha_eval.runs.defaults import OUTPUT
from mipha_eval.runs.find_tasks import find_tasks
from mipha_eval.runs.run import run
from mipha_eval.runs.score import score_file, score_run
from mipha_eval.runs.settings import RunSettings
from mipha_eval.runs.stored_run import Run
from mipha_eval.runs.suites_judge import suites_judge
from mipha_eval.runs.task_result import Result
from mipha_eval.scoring.answer_files import Taken

#: who grades: a name that a server knows or ``hf:PATH``, how it is asked, or a judge made ready
AnyJudge = str | JudgeChoice | Grading
#: answers to a task: a file that any suite made, rows as in LLaVA's answer JSONL, or texts by question id
AnyAnswers = str | Path | Iterable[Mapping[str, Any]] | Mapping[Any, str]


def evaluate(
    model: AnyModel,
    tasks: str | Task | Sequence[str | Task],
    *,
    data: str | Path | DataSource | None = None,
    limit: int | None = None,
    output: str | Path = OUTPUT,
    batch_size: int | None = None,
    blind: bool = False,
    control: str | None = None,
    check: int | None = None,
    probabilities: bool = False,
    as_published: bool = False,
    judge: AnyJudge | None = None,
    fresh: bool | None = None,
    workers: int | str | WorkerSettings | None = None,
    progress: bool = True,
    plugins: Sequence[str | Path] = (),
    options: Mapping[str, object] | None = None,
    **named: object,
) -> Run:
    """Evaluates a model on tasks; called again, it goes on with what is stored.

    Args:
        model: a name, an adapter, or a function ``(images, prompt) -> answer``; its images are a list of `PIL.Image.Image`.
        tasks: names such as ``"pope,seed@ppl"``, ``"all"`` or ``"questions.jsonl"``, or `Task` objects, one or several.
        data: ``demo``, ``hub``, ``hub:MIRROR`` or a folder; None for what the model's preset is made for, else the hub.
        limit, check: about so many questions a task; so many answers a task made again alone; None: a few a run.
        output, batch_size: the folder for run folders; requests a batch, None for as many as the model's token budget holds.
        blind, control: ``"blind"``, ``"mean-image"``, ``"shuffled-image"`` or ``"no-question"``; see docs/controls.md.
        probabilities, as_published: also how probable each possible answer is; ask a preset as its paper or card asked it.
        fresh, plugins: begin anew, None for a function alone, since nobody knows what decides it; files of plugins.
        workers: processes that answer, ``"auto"`` for one a GPU, or also where; None or 1 for this one. See docs/cluster.md.
        options, **named: of the model, of how it is asked, and of tasks; a name that is a parameter's goes among `options`.

    Raises:
        UserError: anything that the user can mend, before a model was asked.
        TasksFailedError: a task has no result; the others' are in its `run`.
    """
    registry, who = Registry([Path(each) for each in plugins]), worker_settings(workers)
    with shown_progress(quiet=not progress), ExitStack() as within:
        own, of_tasks = split_options(_texts(options, named), registry, _objects(tasks))
        chosen, typed = AskedModel(model, own, registry, who, as_published).chosen(Path(output), plugins)
        under, grading, anew = chosen_control(control, blind=blind), _grading(judge, registry), _anew(fresh, chosen)
        within.enter_context(suites_judge(_names(tasks), grading.choice if grading else None))
        found, failed = _tasks(tasks, of_tasks, _source(data, chosen.data), registry)
        chosen.check_about([*(task.name for task in found), *failed])
        how = RunSettings(chosen, found, of_tasks, Path(output), limit, batch_size, under, anew, not progress, check)
        how = replace(how, probabilities=probabilities, grading=grading, workers=who, plugins=plugins)
        return run(replace(how, failed=failed, typed=typed))


def score(
    task: str | Task,
    answers: AnyAnswers,
    *,
    data: str | Path | DataSource | None = None,
    judge: AnyJudge | None = None,
    verdicts: str | Path | None = None,
    subset: bool = False,
    convert: bool = False,
    plugins: Sequence[str | Path] = (),
    options: Mapping[str, object] | None = None,
    **named: object,
) -> Result:
    """Scores answers that any suite or script made; needs no model.

    Args:
        task: a name such as ``"pope"`` or ``"mmbench@cn-dev"``, or a `Task`.
        answers: a file, rows with ``question_id`` and ``text`` (a frame's ``to_dict("records")``), or texts by question id.
        verdicts: the folder for a judge's verdicts; None keeps them beside the answers' file.
        subset: leave out answers to questions that are not asked.
        convert: write an upload's answers as the benchmark's script writes a model's.
        options: of the task.
        **named: the same as keywords, such as ``by_rule=True``, but for those that are called as a parameter is.

    Raises:
        UserError: the data is missing, or the answers do not belong to the task's questions.
    """
    registry = Registry([Path(each) for each in plugins])
    built = _task(task, _texts(options, named), data, registry)
    grading, kept = _grading(judge, registry), Path(verdicts) if verdicts else None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(answers) if isinstance(answers, str | Path) else _written(answers, Path(folder) / "answers.jsonl")
        return score_file(built, file, grading, taken=Taken(subset=subset, convert=convert), verdicts=kept)


def score_again(run: str | Path | Run, *, judge: AnyJudge | None = None, plugins: Sequence[str | Path] = ()) -> list[Result]:
    """Scores the stored answers of a run again, from its own copy of the questions; needs neither model nor data.

    Returns:
        A result a task, and of a task that several judges graded one each; with a judge those that it grades alone.

    Raises:
        UserError: it is no run folder, or a file of it is damaged.
    """
    registry = Registry([Path(each) for each in plugins])
    path = run.path if isinstance(run, Run) else Path(run)
    return score_run(path, registry, _grading(judge, registry))


def _texts(options: Mapping[str, object] | None, named: Mapping[str, object]) -> dict[str, str]:
    """Options in both forms as texts. Raises UserError for one that is there twice."""
    first, second = as_texts(options or {}), as_texts(named)
    twice = sorted(first.keys() & second.keys())
    if twice:
        raise UserError(f"option {', '.join(twice)} is given twice, as a keyword and among options")
    return {**first, **second}


def _objects(tasks: str | Task | Sequence[str | Task]) -> list[Task]:
    return [each for each in _listed(tasks) if isinstance(each, Task)]


def _listed(tasks: str | Task | Sequence[str | Task]) -> list[str | Task]:
    return [tasks] if isinstance(tasks, str | Task) else list(tasks)


def _source(data: str | Path | DataSource | None, default: str = "") -> DataSource:
    return data if isinstance(data, DataSource) else parse_source(str(data or default or "hub"), {})


def _anew(fresh: bool | None, model: Model) -> bool:
    return isinstance(model.adapter, CallableModel) if fresh is None else fresh


def _names(tasks: str | Task | Sequence[str | Task]) -> list[str]:
    return split_names(each for each in _listed(tasks) if isinstance(each, str))


def _tasks(
    tasks: str | Task | Sequence[str | Task], options: Mapping[str, str], source: DataSource, registry: Registry
) -> tuple[list[Task], dict[str, Exception]]:
    """The tasks, and why others cannot be used, by name."""
    names = _names(tasks)
    objects = _objects(tasks)
    failed: dict[str, Exception] = {}
    named = find_tasks(names, options, source, registry, failed) if names or not objects else []
    return [*objects, *named], failed


def _task(task: str | Task, options: Mapping[str, str], data: str | Path | DataSource | None, registry: Registry) -> Task:
    """A task to be scored; a key without a dot is an option of it."""
    if isinstance(task, Task):
        return task
    return build_task(task, of_task(task, options), _source(data), registry)


def _grading(judge: AnyJudge | None, registry: Registry) -> Grading | None:
    if isinstance(judge, Grading):
        return judge
    return begin_grading(JudgeChoice(judge) if isinstance(judge, str) else judge, None, registry)


def _written(answers: Iterable[Mapping[str, Any]] | Mapping[Any, str], path: Path) -> Path:
    rows: Iterable[Mapping[str, Any]]
    if isinstance(answers, Mapping):
        rows = [{"question_id": name, "text": text} for name, text in answers.items()]
    else:
        rows = answers
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
