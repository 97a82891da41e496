"""A finished task of a stored run with its scores: what reports, tables and comparisons are made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError
from mipha_eval.core.metrics import Metric, Tally, Totals, add_tallies, group_scores
from mipha_eval.core.plugins.references import stored_suites_task
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.provenance import Provenance
from mipha_eval.core.task import Task
from mipha_eval.core.task_label import TaskLabel
from mipha_eval.core.types import Score
from mipha_eval.scoring.measuring import Measuring
from mipha_eval.scoring.result_record import ResultRecord
from mipha_eval.scoring.tables.table_task import built, table_class
from mipha_eval.store.results import choose_result
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.task_record import TaskRecord


@dataclass(frozen=True)
class StoredTask:
    """One task of a run. Its task object knows formulas and options, but need not find its data.

    Attributes:
        run: the run's folder.
        model: what people call it, see `Manifest.display_name`.
        label: ``task@protocol``.
        record: what ``task.json`` says: version, options and a digest of what was asked.
        summary: what ``result.json`` says, or the result that a further judge led to.
    """

    run: Path
    model: str
    label: str
    task: Task
    record: TaskRecord
    summary: ResultRecord

    @property
    def judge(self) -> str:
        """Whose grades or second opinions the result has; empty for nobody's."""
        return self.summary.judged_by

    @cached_property
    def scores(self) -> Sequence[Score]:
        """Read when first asked for; those of a further judge are made again from the stored answers and verdicts.

        Raises:
            UserError: they are missing or damaged.
        """
        folder = RunFolder(self.run)
        place = folder.task(self.label)
        if self.judge == place.results()[0].judged_by:
            found = place.scores()
            told = sum(self.summary.rules.values())
            if told != len(found):
                raise UserError(
                    f"{place.path / 'scores.jsonl'} has {len(found):,} scores, its result tells of {told:,}; run anew"
                )
            return found
        from mipha_eval.judge.grading import judges_of, stored_answers

        judged = next((judged for judged in judges_of(place.path) if judged.name == self.judge), None)
        if judged is None:
            raise UserError(f"{place.path} has a result by {self.judge} but not its verdicts")
        return stored_answers(folder, self.task).score(judged).scores

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics of the stored scores by the names that the summary has."""
        return self.metrics_for(Totals(add_tallies(self.tally(group) for group in group_scores(self.scores))))

    def tally(self, group: Sequence[Score]) -> Tally:
        """Counts of scores that belong together."""
        return Measuring(self.task, self.judge).tally(group)

    def metrics_for(self, totals: Totals) -> dict[str, Metric]:
        """The metrics that are defined on `totals`, of any of the scores, by the names that the summary has.

        A metric may have been made otherwise, such as ``CIDEr[ptb]``, where the task object, built again on a machine
        without Java, has ``CIDEr[treebank]``. The formula is the same.
        """
        every = Measuring(self.task, self.judge).metrics(totals)
        found = {metric.name: metric for metric in every if metric.defined(totals)}
        told = self.summary.provenance
        known = {name: found.get(name) or _otherwise_made(told.get(name), found.values()) for name in self.summary.metrics}
        return {
            name: dataclasses.replace(metric, name=name, provenance=told.get(name))
            for name, metric in known.items()
            if metric
        }


def _otherwise_made(told: Provenance | None, metrics: Iterable[Metric]) -> Metric | None:
    """The metric that somebody or something else made."""
    return next((metric for metric in metrics if told and metric.plain == told.metric), None)


def read_stored_tasks(
    run: Path, registry: Registry, judge: str | None = None, unknown: dict[str, UserError] | None = None
) -> list[StoredTask]:
    """The tasks of a run that have a result, by label.

    Args:
        judge: whose result is wanted where there are several; by default the run's own, or if that has no headline (a judged
            task that the run itself did not judge) the only other one.
        unknown: gets what is wrong with tasks that cannot be built here, such as those of a plugin that is not given, by
            label; None raises it. If there are no others, it is raised, too.

    Raises:
        UserError: `run` is no run folder, or none of its tasks has a result.
    """
    if not (run / "manifest.json").exists():
        raise UserError(f"{run} is no run folder: it has no manifest.json")
    folder = RunFolder.open(run)
    model = folder.manifest().display_name
    results = {label: folder.results_of(label) for label in folder.tasks()}
    wrong: dict[str, UserError] = {} if unknown is None else unknown
    found = []
    for label, those in results.items():
        if not those:
            continue
        record, chosen = folder.task(label).read_task(), choose_result(those, judge)
        try:
            found.append(StoredTask(run, model, label, stored_task(folder, label, registry), record, chosen))
        except UserError as error:
            wrong[label] = error
    if wrong and (unknown is None or not found):
        raise next(iter(wrong.values()))
    if not found:
        raise UserError(f"{run} has no finished task; the same command that began it goes on")
    return found


def stored_task(folder: RunFolder, label: str, registry: Registry) -> Task:
    """The task object of a run, with its protocol and options; its data need not be there."""
    kind = folder.manifest().data
    source = DataSource("demo" if kind == "demo" else "hub" if kind == "hub" else "folder", Path(kind))
    record = folder.task(label).read_task()
    if record.suite is not None:
        return stored_suites_task(record.suite)
    if record.table is not None:
        own = {key: value for key, value in record.options.items() if value is not None}
        return built(table_class(record.table), DataSource("folder", Path(kind)), own)
    prefix = record.name.replace("-", "_")
    options = {f"{prefix}.{key}": value for key, value in record.options.items() if value is not None}
    named = TaskLabel(record.name, record.protocol, TaskLabel.of(label).variation)
    return build_task(str(named), options, source, registry)
