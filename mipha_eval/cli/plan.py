"""``mipha-eval plan``."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.cli.judge_flags import NO_JUDGE, JudgeFlags, takes_judge
from mipha_eval.core.errors import MissingDataError, UserError

if TYPE_CHECKING:
    from mipha_eval.core.json_value import Json
    from mipha_eval.core.plugins.model import Model
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.task import Task
    from mipha_eval.runs.plan import TaskPlan
    from mipha_eval.runs.settings import RunSettings

logger = logging.getLogger(__name__)

DEFAULT_MODEL = "mipha-tiny"


@takes_judge("judge_concurrency", "judge_timeout", "judge_tries", "judge_budget", "judge_workers", "grades")
def plan_tasks(
    tasks: Annotated[list[str], typer.Option("--tasks", "-t", help="Tasks as a,b@protocol or repeated.")],
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Load the model, measure a few batches and foretell how long the run takes; without judging, and as if "
            "nothing were stored.",
        ),
    ] = False,
    workers: Annotated[
        Optional[str],
        typer.Option("--workers", metavar="N,...", help="With --probe: foretell for so many workers; one or more numbers."),
    ] = None,
    model: Annotated[
        Optional[str],
        typer.Option(
            "--model", "-m", help="With --probe: a model; see `mipha-eval list models`.", show_default=DEFAULT_MODEL
        ),
    ] = None,
    columns: flags.Columns = None,
    kind: flags.Kind = None,
    scorer: flags.Scorer = None,
    lmms_include: flags.LmmsInclude = None,
    data: flags.Data = None,
    image_dir: flags.ImageDirs = None,
    limit: Annotated[Optional[int], typer.Option("--limit", "-L", min=1, help="About N questions a task.")] = None,
    batch_size: flags.BatchSize = "auto",
    device: flags.Device = None,
    dtype: flags.Dtype = None,
    no_share: flags.NoShare = False,
    threads: flags.Threads = None,
    asked: JudgeFlags = NO_JUDGE,
    answers: Annotated[
        Optional[Path], typer.Option("--answers", help="Answers to the one task named, for a judge's exact work.")
    ] = None,
    options: flags.Options = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Show what a run would ask for, what a judge would cost, and with --probe how long it takes."""
    flags.limit_threads(threads)
    size, counts = flags.batch_size(batch_size), worker_counts("1" if workers is None else workers)
    flagged = flags.model_options(device, dtype, no_share, compile=False, allow_bin=False, serve=None)
    if not probe:
        refuse_without_probe({"workers": workers, "model": model, "batch-size": size, "threads": threads, **flagged})
    from mipha_eval.core.options import parse_pairs
    from mipha_eval.core.plugins.references import split_names
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.reporting.terminal import print_lines
    from mipha_eval.runs.find_tasks import find_tasks
    from mipha_eval.runs.plan import plan_task
    from mipha_eval.runs.plan_lines import plan_lines
    from mipha_eval.runs.settings import RunSettings

    choice, registry = asked.choice(), Registry(plugin or ())
    of_tasks, chosen = parse_pairs(options or ()), None
    if probe:
        chosen, of_tasks = probed_model(model or DEFAULT_MODEL, of_tasks, flagged, registry)
    source = parse_source(data or (chosen.data if chosen else "") or "hub", flags.image_dirs(image_dir))
    named = flags.with_include(flags.with_table(split_names(tasks), columns, kind, scorer), lmms_include)
    failed: dict[str, Exception] = {}
    built = find_tasks(named, of_tasks, source, registry, failed)
    if answers is not None and len(built) > 1:
        raise UserError("--answers belongs to one task; name one")
    if chosen is not None:
        chosen.check_about([*(task.name for task in built), *failed])
    planned = planned_tasks(built, lambda task: plan_task(task, limit, choice, answers), failed)
    plans = [plan for _, plan in planned]
    told = [dataclasses.asdict(plan) for plan in plans]
    if plans and not json:
        print_lines(flags.console(), list(plan_lines(plans, choice)))
    if plans and chosen is not None:
        settings = RunSettings(chosen, [task for task, _ in planned], of_tasks, limit=limit, batch_size=size)
        tell_forecasts(settings, counts, told if json else None)
    elif plans and json:
        flags.print_json(told)
    elif plans:
        logger.info("how long a model takes for this is measured with --probe")
    raise_left_out(failed, others=bool(planned))


def planned_tasks(
    tasks: Sequence[Task], plan: Callable[[Task], TaskPlan], failed: dict[str, Exception]
) -> list[tuple[Task, TaskPlan]]:
    """Tasks and what each takes; `failed` gets those whose files are missing, or whose own code fails at that."""
    from mipha_eval.core.errors import PluginError
    from mipha_eval.core.plugins.blame import blaming

    found = []
    for task in tasks:
        try:
            with blaming():
                found.append((task, plan(task)))
        except (PluginError, MissingDataError) as error:
            failed[task.label] = error
    return found


def raise_left_out(failed: Mapping[str, Exception], *, others: bool) -> None:
    """Ends the command once the others are planned: with what went wrong, or as incomplete if files alone are missing."""
    wrong = next((error for error in failed.values() if not (others and isinstance(error, MissingDataError))), None)
    if wrong is not None:
        raise wrong
    for label, error in failed.items():
        logger.warning("left out %s: %s", label, error)
    if failed:
        raise typer.Exit(ExitCode.INCOMPLETE)


def probed_model(
    name: str, options: Mapping[str, str], flagged: Mapping[str, str], registry: Registry
) -> tuple[Model, dict[str, str]]:
    """The model that is measured, and those options that are of tasks. Raises UserError for one that tells nothing."""
    from mipha_eval.core.plugins.selection import split_options
    from mipha_eval.runs.model_by_name import model_by_name
    from mipha_eval.runs.probe import check_measurable

    own, of_tasks = split_options(options, registry)
    chosen = model_by_name(name, {**own, **flagged}, registry)
    check_measurable(chosen)
    return chosen, of_tasks


def tell_forecasts(settings: RunSettings, counts: Sequence[int], plans: Json | None) -> None:
    """Measures a model and says what that foretells: in lines, or with plans as JSON."""
    from mipha_eval.reporting.terminal import print_lines
    from mipha_eval.runs.forecast import forecasts
    from mipha_eval.runs.probe import probe
    from mipha_eval.runs.probe_lines import probe_lines, probe_record

    measured = probe(settings, max(counts))
    foretold = forecasts(measured, counts)
    if plans is None:
        print_lines(flags.console(), list(probe_lines(measured, foretold)))
    else:
        flags.print_json({"tasks": plans, **probe_record(measured, foretold)})


def refuse_without_probe(given: Mapping[str, object]) -> None:
    """Raises UserError for a flag on batches that are measured, where none is."""
    name = next((name for name, value in given.items() if value is not None), None)
    if name is not None:
        flag = {"share": "no-share"}.get(name, name)
        raise UserError(f"--{flag} is about batches that are measured, and without --probe none is; add --probe")


def worker_counts(text: str) -> list[int]:
    """Reads ``1,8,64``. Raises UserError."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdecimal() and int(part) > 0 for part in parts):
        raise UserError(f"--workers {text}: expected positive numbers of workers, as 8 or 1,8,64")
    return list(dict.fromkeys(map(int, parts)))
