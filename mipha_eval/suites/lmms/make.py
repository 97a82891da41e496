"""From a reference such as ``lmms:pope`` to tasks; the library reaches these functions by name."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown
from mipha_eval.core.plugins.checks.classes import NAME
from mipha_eval.core.plugins.references import Reference
from mipha_eval.core.suite_task import SuiteDefinition
from mipha_eval.core.task import Task
from mipha_eval.suites.lmms.find import load_task, manager, task_names
from mipha_eval.suites.lmms.generation import Generation
from mipha_eval.suites.lmms.groups import LmmsGroup, is_group
from mipha_eval.suites.lmms.library import SUITE, lmms_version
from mipha_eval.suites.lmms.network import judge_asked_by, judge_settings, judge_told
from mipha_eval.suites.lmms.own_task import OwnTask
from mipha_eval.suites.lmms.refusals import greedy_metrics
from mipha_eval.suites.lmms.task import LmmsTask, Loading, built, task_class

logger = logging.getLogger(__name__)

SCHEME = "lmms"
#: folders with the user's own definitions, one behind the other
INCLUDE = "include"


def make_tasks(reference: Reference) -> list[Task]:
    """The tasks of a reference: one, or those of a group.

    Raises:
        UserError: lmms-eval is not installed, has no such task, or it is none that can be asked here.
    """
    wrong = next((key for key in reference.settings if key != INCLUDE), None)
    if wrong is not None:
        raise UserError(f"{reference}: {unknown('setting', wrong, (INCLUDE,))}")
    include = tuple(
        str(Path(each).expanduser().resolve()) for each in reference.settings.get(INCLUDE, "").split(",") if each
    )
    lmms_version()
    names = task_names(reference.place, include)
    if names != [reference.place]:
        logger.info("%s: %d tasks: %s", reference, len(names), ", ".join(names))
    tasks = {name: _task(name, include) for name in names}
    index = manager(include)
    if is_group(index, reference.place):
        group = LmmsGroup(reference.place, index, tasks)
        for task in tasks.values():
            type(task).group = group
    return list(tasks.values())


def with_judge(model: str, base_url: str | None, key: str) -> AbstractContextManager[None]:
    """While entered, tasks are made, and scored, that may ask a judge."""
    return judge_told(model, base_url, key)


def stored_task(definition: SuiteDefinition) -> Task:
    """The task of a stored run; lmms-eval is loaded if answers are to be scored again."""
    loading = Loading(partial(_same, definition))
    return built(task_class(definition, reference_of(definition.task, definition.include), loading))


def reference_of(name: str, include: Sequence[str]) -> str:
    settings = f"?{urlencode({INCLUDE: ','.join(include)}, safe='/,')}" if include else ""
    return f"{SCHEME}:{name}{settings}"


def _task(name: str, include: tuple[str, ...]) -> LmmsTask:
    own = load_task(name, include)
    definition = _definition(name, include, own)
    if definition.sampled:
        logger.warning("lmms:%s: lmms-eval draws its answers; here they are generated greedily", name)
    asks = bool(judge_asked_by(own.scoring))
    if asks:
        told = ", ".join(f"{key}={text}" for key, text in judge_settings().items())
        logger.warning("lmms:%s: its scoring asks a judge over the network (%s)", name, told)
    loading = Loading(lambda: own)
    return built(task_class(definition, reference_of(name, include), loading, asks_judge=asks))


def _same(definition: SuiteDefinition) -> OwnTask:
    """The task of a stored run with its data. Raises UserError for another lmms-eval than the run's."""
    if lmms_version() != definition.version:
        raise UserError(
            f"lmms:{definition.task} was run with {SUITE} {definition.version}, and {lmms_version()} is installed; "
            "install that one, or run it again"
        )
    return load_task(definition.task, definition.include)


def _definition(name: str, include: tuple[str, ...], own: OwnTask) -> SuiteDefinition:
    config = own.task.config
    left_out = {**greedy_metrics(own.kind, own.metrics), **own.no_numbers}
    metrics = tuple(metric for metric in own.metrics if metric not in left_out)
    if not metrics:
        raise UserError(f"lmms:{name} is not asked here: {next(iter(left_out.values()), 'it has no metric')}")
    generation = Generation.of(own.settings)
    parts = [config.dataset_path, config.dataset_name, config.test_split or config.validation_split]
    return SuiteDefinition(
        scheme=SCHEME,
        suite=SUITE,
        version=lmms_version(),
        task=name,
        name=_plain(name),
        about=f"{name} of {SUITE}, its own prompts and scoring",
        include=include,
        dataset=" ".join(str(part) for part in parts if part),
        metrics=metrics,
        unmeasured=left_out,
        max_new_tokens=generation.decoding.max_new_tokens,
        num_beams=generation.decoding.num_beams,
        stops=generation.stops,
        ranked=own.kind != "generate_until",
        sampled=generation.sampled,
    )


def _plain(name: str) -> str:
    """As tasks are called here. Raises UserError for a name that leaves nothing."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:60]
    if not NAME.fullmatch(plain):
        raise UserError(f"lmms:{name} has a name that cannot stand in a table")
    return plain
