"""What lmms-eval says of a group as a whole: its own code makes the number of the numbers of the group's tasks."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from mipha_eval.core.suite_task import GroupNumbers, SuiteGroup
from mipha_eval.suites.lmms.library import SUITE, lmms_module, lmms_version, said_quietly
from mipha_eval.suites.lmms.own_task import OwnTask
from mipha_eval.suites.lmms.task import LmmsTask

NONE = "lmms-eval gives the group no number of its own"


@dataclasses.dataclass(frozen=True, eq=False)
class LmmsGroup(SuiteGroup):
    """A group that was named.

    Attributes:
        index: lmms-eval's of all tasks.
        tasks: by lmms-eval's name.
    """

    name: str
    index: Any
    tasks: Mapping[str, LmmsTask]

    def numbers(self, metrics: Mapping[str, Mapping[str, float]]) -> list[GroupNumbers]:
        missing = [task.label for task in self.tasks.values() if task.label not in metrics]
        if missing:
            return [self._told(self.name, why_not=f"{', '.join(missing)} has no whole result")]
        results: dict[str, dict[str, Any]] = defaultdict(dict)
        try:
            for name, task in self.tasks.items():
                results[name] = _results_of(task, metrics[task.label])
            with said_quietly():
                tree = self._tree(self.name)
                lmms_module("evaluator_utils").consolidate_group_results(results, {}, tree)
        except Exception as error:  # anybody's code
            return [self._told(self.name, why_not=f"lmms-eval's code fails: {type(error).__name__}")]
        return [self._numbers(group, results[group.group_name]) for group in groups_in(tree)]

    def _tree(self, name: str) -> dict[Any, Any]:
        """A group as lmms-eval has it once it is loaded: configuration -> tasks by name, and further groups."""
        entry = self.index.task_index[name]
        listed = entry["task"] if isinstance(entry.get("task"), list) else None
        api = lmms_module("api.group")
        known = {field.name for field in dataclasses.fields(api.GroupConfig)}
        read = {"group": name, "task": listed} if listed is not None else self.index._get_config(name)
        config = {key: value for key, value in read.items() if key in known}
        return {api.ConfigurableGroup(config=config): self._below(config["task"])}

    def _below(self, listed: list[str]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for name in listed:
            entry = self.index.task_index[name]
            if name in self.tasks:
                found[name] = self.tasks[name].loading.own.task
            elif entry["type"] == "tag":
                found |= self._below(entry["task"])
            else:
                found |= self._tree(name)
        return found

    def _numbers(self, group: Any, results: Mapping[str, Any]) -> GroupNumbers:
        configs = group.config["aggregate_metric_list"] or []
        # lmms-eval's own order is that of a set, and another each time
        values = {key: float(results[key]) for key in sorted(results) if "," in key and "_stderr" not in key}
        filters = {key.partition(",")[2] for key in values}
        named = {key: key.partition(",")[0] if len(filters) == 1 else key for key in values}
        # of several that a name fits, lmms-eval's code keeps the last
        chosen = {key: [each for each in configs if each["metric"] in key][-1] for key in values}
        how = {named[key]: how_of(each["aggregation"], by_size=bool(each["weight_by_size"])) for key, each in chosen.items()}
        return self._told(
            group.group_name, {named[key]: value for key, value in values.items()}, how, "" if values else NONE
        )

    def _told(
        self,
        name: str,
        metrics: Mapping[str, float] | None = None,
        how: Mapping[str, str] | None = None,
        why_not: str = "",
    ) -> GroupNumbers:
        return GroupNumbers(group=f"{name}@{SUITE}-{lmms_version()}", metrics=metrics or {}, how=how or {}, why_not=why_not)


def is_group(index: Any, name: str) -> bool:
    """Whether a name is a group's, of which lmms-eval may have a number; not a tag's."""
    return bool(index.task_index[name]["type"] == "group")


def groups_in(tree: Mapping[Any, Any]) -> list[Any]:
    """All groups of a tree, the outermost first."""
    found = []
    for group, below in tree.items():
        if isinstance(below, dict):
            found += [group, *groups_in(below)]
    return found


def _results_of(task: LmmsTask, metrics: Mapping[str, float]) -> dict[str, Any]:
    """A task's numbers as lmms-eval keeps them: by metric and filter, without standard errors, and of how many documents."""
    own = task.loading.own
    found: dict[str, Any] = {"samples": size_of(own, task.loading.payloads)}
    for each in own.filters:
        for name in own.task.aggregation():
            if own.named(name, each) in metrics:
                found[f"{name},{each}"] = metrics[own.named(name, each)]
                found[f"{name}_stderr,{each}"] = "N/A"
    return found


def size_of(own: OwnTask, payloads: Mapping[str, Mapping[str, object]]) -> int:
    """How many documents lmms-eval takes a task for: those of the metric that it met last."""
    counts: dict[str, int] = {}
    for each in own.filters:
        mine = {own.named(name, each) for name in own.task.aggregation()}
        for number in sorted(payloads, key=int):
            for metric in payloads[number]:
                if metric in mine:
                    counts[metric] = counts.get(metric, 0) + 1
    return list(counts.values())[-1]


def how_of(aggregation: object, *, by_size: bool) -> str:
    """In words how a group's number is made of its tasks'."""
    if aggregation != "mean":
        return f"by lmms-eval's own code ({getattr(aggregation, '__name__', 'unnamed')}), which need be no mean"
    return "mean weighted by the tasks' sizes" if by_size else "mean of the tasks, each alike"
