"""What other suites say of groups of their tasks, once all of a run's tasks are scored."""

from __future__ import annotations

from collections.abc import Sequence

from mipha_eval.core.suite_task import GroupNumbers, SuiteTask
from mipha_eval.core.task import Task
from mipha_eval.runs.task_result import Result


def find_groups(tasks: Sequence[Task], results: Sequence[Result]) -> list[GroupNumbers]:
    """Of the groups by whose names tasks were chosen, in that order; nothing where none was."""
    whole = {result.task: result.summary.metrics for result in results if result.complete}
    groups = dict.fromkeys(task.group for task in tasks if isinstance(task, SuiteTask) and task.group is not None)
    return [numbers for group in groups for numbers in group.numbers(whole)]
