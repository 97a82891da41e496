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
from mipha_eval.cli.flag_groups import is_typed, takes_flags
from mipha_eval.cli.judge_flags import JudgeFlags
from mipha_eval.cli.run_flags import DataFlags, HowFlags, ModelFlags, TaskFlags
from mipha_eval.core.errors import MissingDataError, UserError

if TYPE_CHECKING:
    from mipha_eval.core.json_value import Json
    from mipha_eval.core.plugins.model import Model
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.task import Task
    from mipha_eval.runs.plan import TaskPlan
    from mipha_eval.runs.settings import RunSettings

logger = logging.getLogger(__name__)


@takes_flags(
    *("control", "blind", "probabilities", "models", "compile", "allow_bin", "serve", "as_published", "annotations"),
    *("fresh", "check", "cluster", "gpus_per_worker", "worker_timeout", "plan"),
    *("judge_concurrency", "judge_timeout", "judge_tries", "judge_budget", "judge_workers", "grades"),
    required={"tasks"},
)
def plan_tasks(
    what: TaskFlags,
    who: ModelFlags,
    where: DataFlags,
    asked: JudgeFlags,
    how: HowFlags,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Load the model, measure a few batches and foretell how long the run takes; without judging, and as if "
            "nothing were stored.",
        ),
    ] = False,
    answers: Annotated[
        Optional[Path],
        typer.Option("--answers", exists=True, help="Answers to the one task named, for a judge's exact work."),
    ] = None,
    json: flags.Json = False,
) -> None:
    """Show what a run would ask for, what a judge would cost, and with --probe how long it takes."""
    flags.limit_threads(how.threads)
    size, counts = how.batch, worker_counts("1" if how.workers is None else how.workers)
    flagged = who.flagged
    if not probe:
        measured = {"workers": how.workers, "model": who.model, "batch_size": size, "threads": how.threads}
        measured |= {{"share": "no_share"}.get(name, name): value for name, value in flagged.items()}
        refuse_without_probe({name: value for name, value in measured.items() if is_typed(name)})
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.reporting.terminal import print_lines
    from mipha_eval.runs.find_tasks import find_tasks
    from mipha_eval.runs.plan import plan_task
    from mipha_eval.runs.plan_lines import plan_lines
    from mipha_eval.runs.settings import RunSettings

    choice, registry = asked.choice(), Registry(who.plugin or ())
    of_tasks, chosen = flags.option_texts(who.options), None
    if probe:
        chosen, of_tasks = probed_model(who.name, of_tasks, flagged, registry)
    source = parse_source(where.data or (chosen.data if chosen else "") or "hub", where.image_dirs)
    named = what.named
    failed: dict[str, Exception] = {}
    built = find_tasks(named, of_tasks, source, registry, failed)
    if answers is not None and len(built) > 1:
        raise UserError("--answers belongs to one task; name one")
    if chosen is not None:
        chosen.check_about([*(task.name for task in built), *failed])
    planned = planned_tasks(built, lambda task: plan_task(task, what.limit, choice, answers), failed)
    plans = [plan for _, plan in planned]
    told = [dataclasses.asdict(plan) for plan in plans]
    if plans and not json:
        print_lines(flags.console(), list(plan_lines(plans, choice)))
    if plans and chosen is not None:
        settings = RunSettings(chosen, [task for task, _ in planned], of_tasks, limit=what.limit, batch_size=size)
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
        flag = name.replace("_", "-")
        raise UserError(f"--{flag} is about batches that are measured, and without --probe none is; add --probe")


def worker_counts(text: str) -> list[int]:
    """Reads ``1,8,64``. Raises UserError."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdecimal() and int(part) > 0 for part in parts):
        raise UserError(f"--workers {text}: expected positive numbers of workers, as 8 or 1,8,64")
    return list(dict.fromkeys(map(int, parts)))
