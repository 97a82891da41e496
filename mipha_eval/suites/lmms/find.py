"""lmms-eval's tasks by name: groups taken apart, what cannot be asked refused before its data are touched."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mipha_eval.core.cache_folder import cache_folder
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import did_you_mean
from mipha_eval.suites.lmms.library import lmms_module, said_quietly
from mipha_eval.suites.lmms.network import check_judge, judge_asked_by
from mipha_eval.suites.lmms.own_task import OwnTask
from mipha_eval.suites.lmms.refusals import why_not_asked, why_not_shown

#: the model whose words tasks are asked in: none of those that some tasks have prompts of their own for
MODEL = "mipha_eval"


@functools.cache
def manager(include: tuple[str, ...]) -> Any:
    """lmms-eval's index of all tasks, those of the user's folders among them; the first one takes seconds."""
    missing = next((folder for folder in include if not Path(folder).is_dir()), None)
    if missing is not None:
        raise UserError(f"{missing}: no such folder with lmms-eval's tasks", flag="--lmms-include")
    tasks = lmms_module("tasks")
    with said_quietly(errors=True):
        return tasks.TaskManager("ERROR", include_path=list(include) or None, model_name=MODEL)


def task_names(name: str, include: tuple[str, ...]) -> list[str]:
    """The tasks that a name leads to: itself, or those of a group or tag.

    Raises:
        UserError: there is no such task, with the nearest names.
    """
    return list(dict.fromkeys(_names(manager(include), name, ())))


def _names(index: Any, name: str, above: tuple[str, ...]) -> Iterator[str]:
    entry = index.task_index.get(name)
    if entry is None:
        meant = did_you_mean(name, index.all_tasks)
        told = f"lmms-eval has no task {name!r} among its {len(index.all_tasks):,}"
        raise UserError(f"{told}; {meant}" if meant else told)
    if entry["type"] in ("task", "python_task"):
        yield name
        return
    listed = entry["task"] if isinstance(entry.get("task"), list) else index._get_config(name)["task"]
    for each in listed:
        if isinstance(each, str) and each not in above:
            yield from _names(index, each, (*above, name))
        elif isinstance(each, Mapping):
            own = each.get("task")
            raise UserError(f"lmms:{name} is a group that changes its tasks, {own or 'groups'} among them; name the tasks")


def load_task(name: str, include: tuple[str, ...]) -> OwnTask:
    """A task with its data.

    Raises:
        UserError: it cannot be asked here, its data are not to be had, or it asks a judge of which nobody said anything.
    """
    label, index = f"lmms:{name}", manager(include)
    with _naming(label), said_quietly(errors=True):
        config: Mapping[str, object] = index._get_config(name)
    if why := why_not_asked(config):
        raise UserError(f"{label} is not asked here: {why}")
    aggregations = config.get("metric_list")
    listed = [each.get("aggregation") for each in aggregations] if isinstance(aggregations, list) else []
    check_judge(label, judge_asked_by([config.get("process_results"), *listed]))
    with _naming(label), said_quietly(errors=True):
        task = lmms_module("tasks").get_task_dict([name], index, task_type="simple")[name]
    folder = cache_folder() / "lmms-eval" / name
    folder.mkdir(parents=True, exist_ok=True)
    own = OwnTask(label, task, str(folder))
    why = why_not_asked({"output_type": own.kind}) or why_not_shown(own.features)
    if why:
        raise UserError(f"{label} is not asked here: {why}")
    return own


@contextlib.contextmanager
def _naming(label: str) -> Iterator[None]:
    """Turns whatever goes wrong with a task's definition or data into a UserError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # of datasets, huggingface_hub, tenacity, or anybody's code
        cause = _cause(error)
        reason = str(cause).splitlines()[0] if str(cause) else "no reason is given"
        raise UserError(f"{label} cannot be loaded: {type(cause).__name__}: {reason}") from error


def _cause(error: BaseException) -> BaseException:
    """What went wrong in the last of several tries."""
    attempt = getattr(error, "last_attempt", None)
    found = attempt.exception() if attempt is not None else None
    return found if isinstance(found, BaseException) else error
