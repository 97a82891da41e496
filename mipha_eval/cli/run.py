"""``mipha-eval run``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from mipha_eval.cli import flags, judge_flags
from mipha_eval.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.runs.run import RunConfig, TasksFailedError
    from mipha_eval.scoring.result import Result
    from mipha_eval.store.run_folder import RunFolder

logger = logging.getLogger(__name__)


def run_tasks(
    tasks: Annotated[list[str], typer.Option("--tasks", "-t", help="Tasks as a,b@protocol or repeated; all for all.")],
    model: flags.Model = "mipha-tiny",
    options: flags.Options = None,
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
    threads: flags.Threads = None,
    blind: Annotated[bool, typer.Option("--blind", help="Show grey pictures: what does the question alone give?")] = False,
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
    judge: judge_flags.Judge = None,
    judge_base_url: judge_flags.BaseUrl = None,
    judge_runs: judge_flags.Runs = 1,
    judge_concurrency: judge_flags.Concurrency = 16,
    judge_timeout: judge_flags.Timeout = 60.0,
    judge_tries: judge_flags.Tries = 6,
    judge_budget: judge_flags.Budget = None,
    judge_price: judge_flags.Price = None,
    judge_correctness: judge_flags.Correctness = False,
    grades: judge_flags.Grades = None,
    plugin: flags.Plugins = None,
    fresh: flags.Fresh = False,
    json: flags.Json = False,
) -> None:
    """Evaluate a model on tasks; the same command again goes on where it stopped."""
    flags.limit_threads(threads)
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import ModelChoice
    from mipha_eval.runs.run import RunConfig

    registry = Registry(plugin or ())
    config = RunConfig(
        tasks=split_tasks(tasks),
        model=ModelChoice(model, options or (), device, dtype, no_share, compile),
        data=data,
        annotations=annotations,
        image_dirs=flags.image_dirs(image_dir),
        output=output,
        limit=limit,
        batch_size=flags.batch_size(batch_size),
        blind=blind,
        fresh=fresh,
        quiet=json,
        check=check,
        probabilities=probabilities,
        judge=judge_flags.choice(
            judge,
            judge_base_url,
            judge_flags.Limits(judge_runs, judge_concurrency, judge_timeout, judge_tries),
            judge_budget,
            judge_price,
            judge_correctness,
        ),
        grades=grades,
    )
    folder, results, failed = evaluated(config, registry)
    summaries = [result.summary for result in results]

    from mipha_eval.report.summary import (
        certificate_line,
        failure_lines,
        judge_line,
        print_summary,
        probability_line,
        wrapped_lines,
        write_report,
    )
    from mipha_eval.report.terminal import print_lines

    report = write_report(folder)
    if json:
        flags.print_json({"run": str(folder.path), "results": summaries, **failed_tasks(failed)})
    else:
        console = flags.console()
        print_summary(console, summaries)
        lines = [line for summary in summaries for line in wrapped_lines(summary)]
        lines += [*map(probability_line, summaries), *map(judge_line, summaries), certificate_line(summaries)]
        print_lines(console, [line for line in lines if line])
        print(f"report: {report}")
    if probabilities:
        for summary in summaries:
            if not summary["probabilities"]:
                logger.warning("%s: no probabilities; its answers are open, or the model gives none", summary["task"])
    raise_failed(failed)
    if not all(result.complete for result in results):
        if any(result.summary["missing"] for result in results):
            again = " without --fresh" if fresh else ""
            logger.warning("not finished; the same command%s goes on from what is stored", again)
        for result in results:
            for line in failure_lines(result.summary):
                logger.warning("%s", line)
        raise typer.Exit(ExitCode.INCOMPLETE)


def evaluated(config: RunConfig, registry: Registry) -> tuple[RunFolder, list[Result], TasksFailedError | None]:
    """The run's folder and results, and what the tasks failed of that have none; raises that if no task has one."""
    from mipha_eval.runs.run import TasksFailedError, run

    try:
        return *run(config, registry), None
    except TasksFailedError as failed:
        if not failed.results:
            raise failed.error from failed
        return failed.folder, failed.results, failed


def failed_tasks(failed: TasksFailedError | None) -> dict[str, Any]:
    """Of tasks that failed the reasons, for JSON."""
    return {"failed": failed.reasons} if failed else {}


def raise_failed(failed: TasksFailedError | None) -> None:
    """Raises why tasks failed, once the others' results are shown."""
    if failed is not None:
        raise failed.error


def split_tasks(texts: list[str]) -> list[str]:
    """``a,b``, ``a b`` and repeated flags to a list of names."""
    return [name for text in texts for name in text.replace(" ", ",").split(",") if name]
