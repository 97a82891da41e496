"""``mipha-eval plan``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.judge_flags import NO_JUDGE, JudgeFlags, takes_judge


@takes_judge("judge_concurrency", "judge_timeout", "judge_tries", "judge_budget", "judge_workers", "grades")
def plan_tasks(
    tasks: Annotated[list[str], typer.Option("--tasks", "-t", help="Tasks as a,b@protocol or repeated.")],
    columns: flags.Columns = None,
    kind: flags.Kind = None,
    scorer: flags.Scorer = None,
    data: flags.Data = None,
    image_dir: flags.ImageDirs = None,
    limit: Annotated[Optional[int], typer.Option("--limit", "-L", min=1, help="About N questions a task.")] = None,
    asked: JudgeFlags = NO_JUDGE,
    answers: Annotated[
        Optional[Path], typer.Option("--answers", help="Answers to the one task named, for a judge's exact work.")
    ] = None,
    options: flags.Options = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Show what a run would ask for, and what a judge would cost, before anything is spent."""
    from mipha_eval.core.errors import PluginError, UserError
    from mipha_eval.core.options import parse_pairs
    from mipha_eval.core.plugins.blame import blaming
    from mipha_eval.core.plugins.references import split_names
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.reporting.terminal import print_lines
    from mipha_eval.runs.find_tasks import find_tasks
    from mipha_eval.runs.plan import plan_task
    from mipha_eval.runs.plan_lines import plan_lines

    choice = asked.choice()
    source = parse_source(data or "hub", flags.image_dirs(image_dir))
    named = flags.with_table(split_names(tasks), columns, kind, scorer)
    failed: dict[str, Exception] = {}
    built = find_tasks(named, parse_pairs(options or ()), source, Registry(plugin or ()), failed)
    if answers is not None and len(built) > 1:
        raise UserError("--answers belongs to one task; name one")
    plans = []
    for task in built:
        try:
            with blaming():
                plans.append(plan_task(task, limit, choice, answers))
        except PluginError as error:
            failed[task.label] = error
    if json and plans:
        flags.print_json([dataclasses.asdict(plan) for plan in plans])
    elif plans:
        print_lines(flags.console(), list(plan_lines(plans, choice)))
    for reason in failed.values():  # the others are planned all the same
        raise reason
