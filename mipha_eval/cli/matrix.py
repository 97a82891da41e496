"""``mipha-eval run --models FILE``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.clean_output import own_output
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.core.errors import UserError
from mipha_eval.engine.interrupt import STOPPED

if TYPE_CHECKING:
    from mipha_eval.core.json_value import Json
    from mipha_eval.runs.matrix.matrix import Matrix
    from mipha_eval.runs.matrix.matrix_result import MatrixResult, MatrixRun
    from mipha_eval.runs.matrix.run_plan import RunPlan

logger = logging.getLogger(__name__)


def check_beside(models: Path | None, model: str | None, control: str | None, *, plan: bool) -> None:
    """Raises UserError for flags that a file of models has no use for, or that go with one alone."""
    if models is None and plan:
        raise UserError("--plan goes with --models FILE; `mipha-eval plan` tells what one model is asked")
    if models is not None and model is not None:
        raise UserError(f"{models} names all models, and --model {model} is one more; write it into the file")
    if models is not None and control is not None:
        raise UserError(f"--control is of one model; write controls = [{control!r}] into its entry in {models}")


def run_models(matrix: Matrix, workers: int, *, plan: bool, json: bool) -> None:
    """Evaluates all models of a matrix, so many at a time, and prints their table, or tells what that will take."""
    from mipha_eval.runs.matrix.evaluate_all import run_planned
    from mipha_eval.runs.matrix.run_plan import plan_matrix

    plans = plan_matrix(matrix)
    if plan:
        show_plan(matrix, plans, json=json)
        return
    found = run_planned(matrix, plans, workers)
    if json:
        flags.print_json({"runs": [_as_json(each) for each in found], "tables": list(map(str, found.tables))})
    elif found.tables:
        typer.echo(found.report(), own_output(), nl=False)
        print(f"table: {' '.join(map(str, found.tables))}")
    tell_what_failed(found)
    if not found.complete:
        nothing = not found.tables and not any(each.stopped for each in found)
        raise typer.Exit(ExitCode.USAGE if nothing else ExitCode.INCOMPLETE)


def show_plan(matrix: Matrix, plans: Sequence[RunPlan], *, json: bool) -> None:
    """What is stored, what is left to ask, and what a judge would cost for each run."""
    from mipha_eval.reporting.terminal import print_lines
    from mipha_eval.runs.matrix.run_plan import plan_lines
    from mipha_eval.runs.plan import plan_task
    from mipha_eval.runs.plan_lines import judge_text

    if json:
        flags.print_json({"runs": [each.record for each in plans]})
        return
    lines, judge = list(plan_lines(plans)), matrix.shared.judge
    for task in matrix.tasks if judge is not None else ():
        asked = plan_task(task, matrix.shared.limit, judge).judge
        lines += [f"judge {judge and judge.name}, for each run's {task.label}: {judge_text(asked)}"] if asked else []
    print_lines(flags.console(), lines)


def tell_what_failed(found: MatrixResult) -> None:
    """Why the table is not whole, and how it becomes so."""
    from mipha_eval.reporting.summary import failure_lines

    for each in found:
        if each.reason:
            level = logging.WARNING if found.tables else logging.ERROR
            logger.log(level, "%s: %s%s", each.name, each.reason, f" ({each.flag})" if each.flag else "")
        for result in each.run or ():
            for line in failure_lines(result.summary):
                logger.warning("%s: %s", each.name, line)
    if any(each.stopped or each.unfinished for each in found):
        logger.warning(STOPPED)


def _as_json(each: MatrixRun) -> dict[str, Json]:
    from mipha_eval.scoring.result_record import result_json

    results = [result_json(result.summary) for result in each.run] if each.run else []
    path = str(each.run.path) if each.run else None
    return {"name": each.name, "run": path, "results": results, "failed": dict(each.failures)}
