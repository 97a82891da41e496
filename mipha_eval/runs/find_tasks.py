"""Tasks by name; ``all`` stands for those whose files there are."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import MissingDataError, UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_tasks
from mipha_eval.core.task import Task
from mipha_eval.data.questions import has_samples

logger = logging.getLogger(__name__)


def find_tasks(
    names: Sequence[str],
    options: Mapping[str, str],
    source: DataSource,
    registry: Registry,
    failed: dict[str, Exception] | None = None,
) -> list[Task]:
    """The tasks that were named; ``all`` stands for those whose files the data source has.

    Args:
        options: of tasks, ``task.key`` -> text.
        failed: takes what is wrong with plugins, by the task's name or the plugin's file, so that the others go on; None
            raises it.

    Raises:
        UserError: a name, protocol or option does not exist, or there are no files.
    """
    wanted = [name for name in names if name != "all"]
    if "all" in names:
        for name in registry.names("tasks"):
            try:
                (task,) = build_tasks([name], {}, dataclasses.replace(source, image_dirs={}), registry)
                has_samples(task)
                wanted.append(name)
            except UserError as error:
                level = logging.INFO if isinstance(error, MissingDataError) else logging.WARNING
                logger.log(level, "left out %s: %s", name, error)
        if not wanted:
            raise UserError(f"{source} has the files of no task")
    if failed is None:
        return build_tasks(wanted, options, source, registry)
    tasks = build_tasks(wanted, options, source, registry, failed)
    told = set(map(id, failed.values()))
    failed |= {str(file): error for file, error in registry.broken.items() if id(error) not in told}
    for name, reason in failed.items():
        logger.warning("%s: %s; the others go on", name, reason)
    return tasks
