"""Rows of progress, in as many letters and lines as there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from mipha_eval.engine.progress.wording import count_text, left_text, rate_text

if TYPE_CHECKING:
    from mipha_eval.engine.progress.progress import Progress
    from mipha_eval.engine.progress.task_count import TaskCount

SHORTEST, LONGEST = 8, 40  # letters of a bar
LINE, PLAIN_LINE = "━", "="  # a bar's letter, and that of terminals that have ASCII alone
GAP = "  "
LABEL, BAR = "label", "bar"
TEXTS = LABEL, "score", "interval"  # columns that are no numbers
#: columns that are left out where there is no room for all, the one that is missed least first
YIELDING = ("interval", "rate", BAR, "score")


def rows_of(progress: Progress, now: float, width: int, height: int) -> list[Text]:
    """A row a task, and one for all together, at most `width` letters wide and `height` lines high.

    Lines are made by hand, since a table of rich takes ten times as long, and is made twice a second.
    """
    tasks = progress.tasks
    shown = fitting(tasks, height - 1 if len(tasks) > 1 else height)
    rows = [cells(task, now) for task in shown]
    if len(tasks) > 1:
        hidden = len(tasks) - len(shown)
        shown.append(progress.together)
        rows.append({**cells(shown[-1], now), LABEL: f"all, {hidden} not shown" if hidden else "all"})
    columns, bar = arranged(rows, width)
    wide = {name: max(cell_len(row[name]) for row in rows) for name in columns}
    lines = []
    for task, row in zip(shown, rows, strict=True):
        line = Text(style="" if task.asked else "dim", no_wrap=True, overflow="ellipsis")
        for name in columns:
            cell = drawn(task, bar) if name == BAR else Text(_padded(row[name], wide[name], left=name in TEXTS))
            line.append_text(cell).append(GAP)
        line.rstrip()
        lines.append(line)
    return lines


def cells(task: TaskCount, now: float) -> Mapping[str, str]:
    """A row's texts by column, in the columns' order."""
    return {
        LABEL: task.label,
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
    kept = {task.label for task in order[: max(height, 1)]}
    return [task for task in tasks if task.label in kept]


def arranged(rows: Sequence[Mapping[str, str]], width: int) -> tuple[list[str], int]:
    """Which columns there is room for, and how long a bar is."""
    wide = {name: max(cell_len(row[name]) for row in rows) for name in rows[0]}
    columns = [name for name in wide if wide[name] or name == BAR]
    for gone in ("", *YIELDING):
        columns = [name for name in columns if name != gone]
        bar = width - sum(wide[name] + len(GAP) for name in columns)
        if bar >= (SHORTEST if BAR in columns else 0):
            break
    return columns, max(SHORTEST, min(bar, LONGEST))


def drawn(task: TaskCount, length: int) -> Text:
    """A bar of so many letters."""
    full = length * task.done // task.total
    return Text.assemble(
        (LINE * full, "green" if task.done == task.total else "cyan"), (LINE * (length - full), "bright_black")
    )


def _padded(text: str, width: int, *, left: bool) -> str:
    return set_cell_size(text, width) if left else " " * (width - cell_len(text)) + text
