"""``mipha-eval run``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mipha_eval.cli import flags, worker_flags
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.cli.judge_flags import NO_JUDGE, JudgeFlags, takes_judge
from mipha_eval.cli.matrix import check_beside, run_models
from mipha_eval.cli.ungraded import ungraded_lines
from mipha_eval.cluster.settings import TIMEOUT
from mipha_eval.core.options import parse_pairs
from mipha_eval.core.plugins.references import split_names
from mipha_eval.engine.interrupt import STOPPED

if TYPE_CHECKING:
    from mipha_eval.runs.run import TasksFailedError
    from mipha_eval.runs.stored_run import Run

logger = logging.getLogger(__name__)

DEFAULT_MODEL = "mipha-tiny"


@takes_judge()
def run_tasks(
    tasks: Annotated[
        Optional[list[str]], typer.Option("--tasks", "-t", help="Tasks as a,b@protocol or repeated; all for all.")
    ] = None,
    model: Annotated[
        Optional[str],
        typer.Option("--model", "-m", help="A model; see `mipha-eval list models`.", show_default=DEFAULT_MODEL),
    ] = None,
    models: Annotated[
        Optional[Path],
        typer.Option("--models", help="A TOML file of models, options and controls, evaluated one after the other."),
    ] = None,
    workers: worker_flags.Workers = None,
    cluster: worker_flags.Cluster = None,
    gpus_per_worker: worker_flags.Gpus = None,
    worker_timeout: worker_flags.Timeout = TIMEOUT,
    plan: Annotated[
        bool, typer.Option("--plan", help="Tell what is stored already and what is left to ask, and do nothing.")
    ] = False,
    options: flags.Options = None,
    columns: flags.Columns = None,
    kind: flags.Kind = None,
    scorer: flags.Scorer = None,
    lmms_include: flags.LmmsInclude = None,
    data: flags.Data = None,
    annotations: flags.Annotations = None,
    image_dir: flags.ImageDirs = None,
    output: Annotated[Path, typer.Option("--output", "-o", envvar="MIPHA_EVAL_OUT", help="Folder for run folders.")] = Path(
        "results/runs"
    ),
    limit: Annotated[Optional[int], typer.Option("--limit", "-L", min=1, help="About N questions a task.")] = None,
    batch_size: flags.BatchSize = "auto",
    device: flags.Device = None,
    dtype: flags.Dtype = None,
    no_share: flags.NoShare = False,
    compile: flags.Compile = False,
    allow_bin: flags.AllowBin = False,
    serve: flags.Serve = None,
    threads: flags.Threads = None,
    control: flags.ControlName = None,
    blind: Annotated[bool, typer.Option("--blind", help="Short for --control blind.")] = False,
    check: Annotated[
        Optional[int],
        typer.Option(
            "--check", min=0, help="Make N answers a task again, sharing nothing, and compare; 0 for none, else a few a run."
        ),
    ] = None,
    probabilities: Annotated[
        bool,
        typer.Option("--probabilities", help="Also how probable each possible answer is: AUC, calibration."),
    ] = False,
    asked: JudgeFlags = NO_JUDGE,
    plugin: flags.Plugins = None,
    fresh: flags.Fresh = False,
    as_published: flags.AsPublished = False,
    json: flags.Json = False,
) -> None:
    """Evaluate a model on tasks, or all models of a file; the same command again goes on where it stopped."""
    flags.limit_threads(threads)
    worker_flags.refuse_launchers()
    check_beside(models, model, "blind" if blind else control, plan=plan)
    crew = worker_flags.settings(workers, cluster, gpus_per_worker, worker_timeout, threads)
    named = flags.with_include(flags.with_table(split_names(tasks or ()), columns, kind, scorer), lmms_include)
    flagged = flags.model_options(device, dtype, no_share, compile, allow_bin, serve)
    if models is not None:
        from mipha_eval.core.plugins.registry import Registry
        from mipha_eval.core.plugins.selection import split_options
        from mipha_eval.runs.matrix.order import Shared

        own, of_tasks = split_options(parse_pairs(options or ()), Registry(plugin or ()))
        shared = Shared(
            tasks=tuple(named),
            data=data or "",
            annotations=str(annotations) if annotations else None,
            image_dirs={task: str(folder) for task, folder in flags.image_dirs(image_dir).items()},
            task_options=of_tasks,
            output=str(output),
            limit=limit,
            batch_size=flags.batch_size(batch_size),
            check=check,
            probabilities=probabilities,
            as_published=as_published,
            judge=asked.choice(cluster),
            grades=str(asked.grades) if asked.grades else None,
            fresh=fresh,
            progress=not json,
            plugins=tuple(map(str, plugin or ())),
            workers=crew if crew is not None and crew.address is not None else None,
        )
        run_models(models, shared, {**own, **flagged}, worker_flags.models_at_a_time(crew), plan=plan, json=json)
        return
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import split_options
    from mipha_eval.core.record import record_json
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.runs.evaluate import evaluate
    from mipha_eval.runs.model_by_name import model_by_name
    from mipha_eval.runs.run import TasksFailedError
    from mipha_eval.scoring.result_record import result_json

    registry = Registry(plugin or ())
    own, of_tasks = split_options(parse_pairs(options or ()), registry)
    chosen = model_by_name(model or DEFAULT_MODEL, {**own, **flagged}, registry, as_published=as_published)
    failed = None
    try:
        run = evaluate(
            chosen,
            named,
            data=parse_source(data or chosen.data or "hub", flags.image_dirs(image_dir), annotations),
            limit=limit,
            output=output,
            batch_size=flags.batch_size(batch_size),
            blind=blind,
            control=control,
            check=check,
            probabilities=probabilities,
            as_published=as_published,
            judge=asked.grading(registry, cluster),
            fresh=fresh,
            workers=crew,
            progress=not json,
            plugins=plugin or (),
            options=of_tasks,
        )
    except TasksFailedError as error:
        if not error.run.results:
            raise error.error from error
        run, failed = error.run, error
    summaries = [result.summary for result in run]
    if json:
        told = {"gains": [gain.record for gain in run.gains]} if run.gains or run.under_control else {}
        told |= {"groups": [record_json(group) for group in run.groups]} if run.groups else {}
        results = [*map(result_json, summaries)]
        flags.print_json({"run": str(run.path), "results": results, **told, **failed_tasks(failed)})
    else:
        show_run(run)
    if probabilities:
        for summary in summaries:
            if summary.probabilities is None:
                logger.warning("%s: no probabilities; its answers are open, or the model gives none", summary.task)
    raise_failed(failed)
    if run.stopped or not run.complete:
        tell_what_is_missing(run, fresh=fresh)
        raise typer.Exit(ExitCode.INCOMPLETE)


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
