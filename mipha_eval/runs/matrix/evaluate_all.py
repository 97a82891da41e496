"""Evaluating many models at once: a file or a list of them in, their runs and one table out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from msgspec.structs import replace as with_fields

from mipha_eval.core.errors import UserError
from mipha_eval.core.options import as_texts
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import split_options
from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.runs.checks import check_writable
from mipha_eval.runs.defaults import OUTPUT
from mipha_eval.runs.matrix.matrix import Matrix, build_matrix
from mipha_eval.runs.matrix.matrix_result import MatrixResult
from mipha_eval.runs.matrix.models_file import ListedModel, listed_models, names, read_models_file
from mipha_eval.runs.matrix.order import Shared
from mipha_eval.runs.matrix.run_matrix import run_matrix
from mipha_eval.runs.matrix.run_plan import RunPlan, plan_lines, plan_matrix

logger = logging.getLogger(__name__)


def evaluate_all(
    models: str | Path | Sequence[ListedModel],
    tasks: str | Sequence[str] = (),
    *,
    data: str | Path | None = None,
    floors: Sequence[str] = (),
    limit: int | None = None,
    output: str | Path = OUTPUT,
    workers: int = 1,
    batch_size: int | None = None,
    check: int | None = None,
    probabilities: bool = False,
    as_published: bool = False,
    judge: str | JudgeChoice | None = None,
    fresh: bool = False,
    progress: bool = True,
    plugins: Sequence[str | Path] = (),
    **options: object,
) -> MatrixResult:
    """Evaluates models on the same tasks, each in a process of its own; called again, it goes on with what is stored.

    What fails in one leaves the others alone, and stands in the result in its place. Other arguments are as of `evaluate`.

    Args:
        models: a TOML file, see docs/matrix.md, or a list of names and of what entries of such a file hold, such as
            ``{"model": "mipha", "options": {"path": ["a", "b"]}, "controls": ["blind"]}``.
        tasks, data: win over the file's; without data there or here, what all models are made for.
        floors: models that look at nothing, such as ``majority``, beside those of the file.
        workers: models that are at work at a time.
        judge: who grades; its budget is shared out among the runs.
        **options: of all models but floors, over those that are listed; of tasks as ``**{"mmvet.by_rule": True}``.

    Raises:
        UserError: anything that the user can mend, before a model was loaded; or no model has a result.
    """
    own, of_tasks = split_options(as_texts(options), Registry([Path(each) for each in plugins]))
    listed = read_models_file(Path(models)) if isinstance(models, str | Path) else listed_models(models)
    asked = JudgeChoice(judge) if isinstance(judge, str) else judge
    how = Shared(limit=limit, batch_size=batch_size, check=check, fresh=fresh, progress=progress, judge=asked)
    how = with_fields(how, as_published=as_published, probabilities=probabilities, task_options=of_tasks)
    how = with_fields(how, data=str(data or ""), output=str(output))
    shared = with_fields(how, tasks=names(tasks, "tasks"), plugins=tuple(map(str, plugins)))
    listed = replace(listed, floors=names([*listed.floors, *floors], "floors"))
    matrix = build_matrix(listed, shared, own)
    found = run_planned(matrix, plan_matrix(matrix), workers)
    if not any(each.run for each in found):
        raise UserError("; ".join(f"{name}: {reason}" for name, reason in found.failures.items()))
    return found


def run_planned(matrix: Matrix, plans: Sequence[RunPlan], workers: int) -> MatrixResult:
    """Makes the runs of a matrix, and writes the table of those that have a result into their folder."""
    if workers < 1:
        raise UserError(f"{workers} models at a time: expected 1 or more", flag="--workers")
    output = Path(matrix.shared.output)
    check_writable(output)
    *each, total = plan_lines(plans)
    for line in each:
        logger.debug("%s", line)
    logger.info("%s", total)
    found = MatrixResult.of(matrix, run_matrix(matrix, workers))
    return found.written(output, matrix.stem) if any(each.run for each in found) else found
