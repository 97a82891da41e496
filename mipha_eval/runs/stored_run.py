"""A run as it is stored: its results, and its answers when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.suite_task import GroupNumbers
from mipha_eval.core.task_label import TaskLabel
from mipha_eval.judge.stored_task import StoredTask, read_stored_tasks
from mipha_eval.runs.frames import metrics_frame
from mipha_eval.runs.task_result import Answers, Result
from mipha_eval.store.run_folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from mipha_eval.comparison.gain import Gain


@dataclass(frozen=True, repr=False)
class Run:
    """A model on tasks.

    Attributes:
        path: the run's folder; ``report.md`` in it is for people.
        model: what tables call it.
        gains: how far the model is above its controls, as `evaluate` found it; of a stored run see `visual_gains`.
        groups: what other suites say of groups of their tasks, as `evaluate` found it; a stored run has none.
        stopped: whether Ctrl-C came while it went on; tasks whose scoring was given up then have no result.
    """

    path: Path
    model: str
    results: Sequence[Result]
    gains: Sequence[Gain] = ()
    groups: Sequence[GroupNumbers] = ()
    stopped: bool = False

    @property
    def complete(self) -> bool:
        """Whether all results are."""
        return all(result.complete for result in self.results)

    @property
    def under_control(self) -> bool:
        """Whether the model was asked under a control, see `visual_gains`."""
        return any(result.summary.asked_under for result in self.results)

    def __getitem__(self, task: str) -> Result:
        """The result of a task, by ``name`` or ``name@protocol``. Raises KeyError with the labels that there are."""
        for result in self.results:
            if task in (result.task, TaskLabel.of(result.task).plugin):
                return result
        raise KeyError(f"{self.path} has no result of {task}; there are {', '.join(result.task for result in self)}")

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def metrics(self) -> pd.DataFrame:
        """A row a metric: task, metric, value, low, high, n, headline, marks."""
        return metrics_frame([result.summary for result in self.results])

    def samples(self) -> pd.DataFrame:
        """A row a sample of every task: task, id, question, answer, reading, right, score, image."""
        import pandas as pd

        found = [result.samples() for result in self.results]
        return pd.concat(found, ignore_index=True) if found else pd.DataFrame()

    def __repr__(self) -> str:
        return "\n".join([f"<Run of {self.model} in {self.path}>", *(f"  {result!r}" for result in self.results)])

    def _repr_html_(self) -> str:
        table = self.metrics()
        return str(table[table["headline"]].drop(columns="headline").to_html(index=False, escape=True))


def load_run(path: str | Path, *, plugins: Sequence[str | Path] = ()) -> Run:
    """A stored run.

    Args:
        path: its folder.
        plugins: Python files with the tasks and models that it needs beside the bundled ones.

    Raises:
        UserError: `path` is no run folder, none of its tasks has a result, or a file is damaged.
    """
    return read_run(Path(path), Registry([Path(each) for each in plugins]))


def load_runs(folder: str | Path, *, plugins: Sequence[str | Path] = ()) -> list[Run]:
    """Every run below a folder that has a result, oldest first. Raises UserError if one is damaged."""
    registry = Registry([Path(each) for each in plugins])
    found = sorted(Path(folder).rglob("manifest.json"), key=lambda file: file.parent.name.split("__")[-2:])
    runs = (RunFolder.open(file.parent) for file in found)
    return [read_run(run.path, registry) for run in runs if any(run.results_of(label) for label in run.tasks())]


def read_run(path: Path, registry: Registry) -> Run:
    """A stored run, with the tasks of a registry."""
    stored = read_stored_tasks(path, registry)
    return Run(path, stored[0].model, [Result(task.summary, partial(_answers, task)) for task in stored])


def _answers(task: StoredTask) -> Answers:
    place = RunFolder(task.run).task(task.label)
    responses = {name: entry.response for name, entry in place.responses().items()}
    return Answers(place.samples(), responses, task.scores)
