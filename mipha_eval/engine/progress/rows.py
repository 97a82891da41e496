"""Rows of progress, in as many letters and lines as there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mipha_eval.engine.progress.wording import count_text, left_text, rate_text

if TYPE_CHECKING:
    from rich.console import JustifyMethod, RenderableType

    from mipha_eval.engine.progress.progress import Progress
    from mipha_eval.engine.progress.task_count import TaskCount

SHORTEST, LONGEST = 8, 40  # letters of a bar
GAP = 2  # letters between columns
BAR = "bar"
TEXTS = "label", "score", "interval"  # columns that are no numbers
#: columns that are left out where there is no room for all, the one that is missed least first
YIELDING = ("interval", "rate", BAR, "score")


def table_of(progress: Progress, now: float, width: int, height: int) -> Table:
    """A row a task, and one for all together, at most `width` letters wide and `height` lines high."""
    tasks = progress.tasks
    shown = fitting(tasks, height - 1 if len(tasks) > 1 else height)
    rows = [cells(task, now) for task in shown]
    if len(tasks) > 1:
        hidden = len(tasks) - len(shown)
        rows.append({**cells(progress.together, now), "label": f"all, {hidden} not shown" if hidden else "all"})
    columns, bar = arranged(rows, width)
    table = Table.grid(padding=(0, GAP, 0, 0))
    for name in columns:
        justify: JustifyMethod = "left" if name in TEXTS else "right"
        table.add_column(justify=justify, no_wrap=True, overflow="ellipsis")
    for task, row in zip([*shown, progress.together], rows, strict=False):
        table.add_row(*(_cell(name, row, task, bar) for name in columns), style="" if task.asked else "dim")
    return table


def cells(task: TaskCount, now: float) -> dict[str, str]:
    """A row's texts by column, in the columns' order."""
    return {
        "label": task.label,
        BAR: "",
        "count": count_text(task),
        "score": task.score,
        "interval": task.interval,
        "rate": rate_text(task, now),
        "left": "done" if task.scored else left_text(task, now) if task.asked else "",
    }


def fitting(tasks: Sequence[TaskCount], height: int) -> list[TaskCount]:
    """As many as there are lines for, in their order: those that are asked first, then those to come, then those done."""
    order = sorted(tasks, key=lambda task: (not task.asked, task.done >= task.total))
    kept = {id(task) for task in order[: max(height, 1)]}
    return [task for task in tasks if id(task) in kept]


def arranged(rows: Sequence[dict[str, str]], width: int) -> tuple[list[str], int]:
    """Which columns there is room for, and how long a bar is."""
    wide = {name: max(cell_len(row[name]) for row in rows) for name in rows[0]}
    columns = [name for name in wide if wide[name] or name == BAR]
    for gone in ("", *YIELDING):
        columns = [name for name in columns if name != gone]
        bar = width - sum(wide[name] + GAP for name in columns)
        if bar >= (SHORTEST if BAR in columns else 0):
            break
    return columns, max(SHORTEST, min(bar, LONGEST))


def _cell(name: str, row: dict[str, str], task: TaskCount, bar: int) -> RenderableType:
    return ProgressBar(task.total, task.done, bar) if name == BAR else Text(row[name])
