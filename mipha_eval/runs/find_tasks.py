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


def find_tasks(names: Sequence[str], options: Mapping[str, str], source: DataSource, registry: Registry) -> list[Task]:
    """The tasks that were named; ``all`` stands for those whose files the data source has.

    Args:
        options: of tasks, ``task.key`` -> text.

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
    return build_tasks(wanted, options, source, registry)
