"""``mipha-eval run``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mipha_eval.cli import flags, worker_flags
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.cli.flag_groups import is_typed, takes_flags
from mipha_eval.cli.judge_flags import JudgeFlags
from mipha_eval.cli.matrix import check_beside, run_models
from mipha_eval.cli.run_file import Config, RunFile, of_this_model
from mipha_eval.cli.run_flags import DataFlags, HowFlags, ModelFlags, OutputFlags, RunFlags, TaskFlags
from mipha_eval.cli.ungraded import ungraded_lines
from mipha_eval.engine.interrupt import STOPPED
from mipha_eval.engine.progress.screen import shown_progress

if TYPE_CHECKING:
    from mipha_eval.runs.run import TasksFailedError
    from mipha_eval.runs.stored_run import Run

logger = logging.getLogger(__name__)


@takes_flags()
def run_tasks(
    what: TaskFlags,
    who: ModelFlags,
    where: DataFlags,
    asked: JudgeFlags,
    how: HowFlags,
    out: OutputFlags,
    file: RunFile = None,  # noqa: ARG001 - read before the flags, see run_file.py
    config: Config = None,  # noqa: ARG001
) -> None:
    """Evaluate a model on tasks, or all models of a file; the same command goes on where it stopped."""
    flags.limit_threads(how.threads)
    worker_flags.refuse_launchers()
    control = "blind" if what.blind and is_typed("blind") else what.control if is_typed("control") else None
    check_beside(who.models, who.model if is_typed("model") else None, control, plan=how.plan)
    who = replace(who, options=of_this_model(who.options, who.model))
    given = RunFlags(what, who, where, asked, how, out)
    if who.models is not None:
        _run_file(who.models, given)
    else:
        _run_one(given)


def _run_file(file: Path, given: RunFlags) -> None:
    """Evaluates all models of a file."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import split_options
    from mipha_eval.runs.matrix.matrix import build_matrix
    from mipha_eval.runs.matrix.models_file import read_models_file
    from mipha_eval.runs.matrix.order import Shared

    what, who, where, how = given.what, given.who, given.where, given.how
    crew, named = how.crew, what.named
    own, of_tasks = split_options(flags.option_texts(who.options), Registry(who.plugin or ()))
    shared = Shared(
        tasks=tuple(named),
        data=where.data or "",
        annotations=str(where.annotations) if where.annotations else None,
        image_dirs={task: str(folder) for task, folder in where.image_dirs.items()},
        task_options=of_tasks,
        output=str(given.out.output),
        limit=what.limit,
        batch_size=how.batch,
        check=how.check,
        probabilities=what.probabilities,
        as_published=who.as_published,
        judge=given.judge.choice(how.cluster),
        grades=str(given.judge.grades) if given.judge.grades else None,
        fresh=how.fresh,
        progress=not given.out.json,
        plugins=tuple(map(str, who.plugin or ())),
        workers=crew if crew is not None and crew.address is not None else None,
    )
    at_a_time = worker_flags.models_at_a_time(crew)
    run_models(
        build_matrix(read_models_file(file), shared, {**own, **who.flagged}), at_a_time, plan=how.plan, json=given.out.json
    )


def _run_one(given: RunFlags) -> None:
    """Evaluates one model and shows its results."""
    from mipha_eval.runs.run import TasksFailedError

    failed = None
    try:
        with shown_progress(quiet=given.out.json):
            run = _evaluated(given)
    except TasksFailedError as error:
        if not error.run.results:
            raise error.error from error
        run, failed = error.run, error
    if given.out.json:
        print_run(run, failed)
    else:
        show_run(run)
    for result in run if given.what.probabilities else ():
        if result.summary.probabilities is None:
            told = "%s: no probabilities; its answers are open, or the model gives none"
            logger.warning(told, result.summary.task)
    raise_failed(failed)
    if run.stopped or not run.complete:
        tell_what_is_missing(run, fresh=given.how.fresh)
        raise typer.Exit(ExitCode.INCOMPLETE)


def _evaluated(given: RunFlags) -> Run:
    """The run of one model. Raises as `evaluate` does."""
    what, who, where, how = given.what, given.who, given.where, given.how
    crew, named = how.crew, what.named
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.runs.evaluate import evaluate
    from mipha_eval.runs.model_by_name import usual_data

    registry = Registry(who.plugin or ())
    usual = usual_data(who.name, registry) or "hub"
    return evaluate(
        who.name,
        named,
        data=parse_source(where.data or usual, where.image_dirs, where.annotations),
        limit=what.limit,
        output=given.out.output,
        batch_size=how.batch,
        blind=what.blind,
        control=what.control,
        check=how.check,
        probabilities=what.probabilities,
        as_published=who.as_published,
        judge=given.judge.grading(registry, how.cluster),
        fresh=how.fresh,
        workers=crew,
        progress=not given.out.json,
        plugins=who.plugin or (),
        options={**flags.option_texts(who.options), **who.flagged},
    )


def print_run(run: Run, failed: TasksFailedError | None) -> None:
    """Writes a run's results as JSON."""
    from mipha_eval.core.record import record_json
    from mipha_eval.scoring.result_record import result_json

    told = {"gains": [gain.record for gain in run.gains]} if run.gains or run.under_control else {}
    told |= {"groups": [record_json(group) for group in run.groups]} if run.groups else {}
    results = [result_json(result.summary) for result in run]
    flags.print_json({"run": str(run.path), "results": results, **told, **failed_tasks(failed)})


def show_run(run: Run) -> None:
    """The table of a run, and what stands under it."""
    from mipha_eval.reporting.serving import serving_line
    from mipha_eval.reporting.summary import (
        certificate_line,
        expectation_line,
        gain_line,
        group_line,
        judge_line,
        print_summary,
        probability_line,
        wrapped_lines,
    )
    from mipha_eval.reporting.terminal import print_lines

    console, summaries = flags.console(), [result.summary for result in run]
    print_summary(console, summaries)
    lines = [line for summary in summaries for line in wrapped_lines(summary)]
    notes = (expectation_line, serving_line, probability_line, judge_line)
    lines += [note(summary) for note in notes for summary in summaries]
    lines += map(gain_line, run.gains)
    lines += map(group_line, run.groups)
    lines += [certificate_line(summaries)]
    print_lines(console, [line for line in lines if line])
    print(f"report: {run.path / 'report.md'}")


def tell_what_is_missing(run: Run, *, fresh: bool) -> None:
    """Why a run is not complete, and how it goes on."""
    from mipha_eval.reporting.summary import failure_lines

    again = STOPPED.replace("command", "command without --fresh") if fresh else STOPPED
    if run.stopped:
        logger.warning("%s", again)
    elif any(result.summary.missing for result in run):
        logger.warning("%s", again.replace("stopped", "not finished"))
    for result in run:
        for line in failure_lines(result.summary):
            logger.warning("%s", line)
        for line in ungraded_lines(result.summary):
            logger.info("%s", line)


def failed_tasks(failed: TasksFailedError | None) -> dict[str, Mapping[str, str]]:
    """Of tasks that failed the reasons, for JSON."""
    return {"failed": failed.reasons} if failed else {}


def raise_failed(failed: TasksFailedError | None) -> None:
    """Raises why tasks failed, once the others' results are shown."""
    if failed is not None and failed.only_data_missing:
        for label, reason in failed.reasons.items():
            logger.warning("left out %s: %s", label, reason)
        raise typer.Exit(ExitCode.INCOMPLETE)
    if failed is not None:
        raise failed.error
