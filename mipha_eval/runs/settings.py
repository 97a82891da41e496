"""What is to be run, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.core.controls import Control
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.task import Task
from mipha_eval.judge.grading import Grading
from mipha_eval.runs.defaults import OUTPUT


@dataclass(frozen=True)
class RunSettings:
    """What is to be run, and how. Everything is an object already: nothing below looks up a name or reads a text.

    Attributes:
        tasks: all of one data source.
        task_options: as they were given, ``task.key`` -> text; they are part of the run's identity.
        limit: about so many questions a task; None for all.
        batch_size: requests a batch; None leaves it to the model's token budget.
        control: what the model is asked without; None for nothing.
        check: answers a task that are made again alone; None for a few a run.
        fresh: begin another run, also where one of the same model and data was begun before.
        workers: who answers in place of this process; None for nobody.
        plugins: files with the model, for workers.
        failed: why plugins beside these tasks cannot be used, by the task's name or the plugin's file.
        begun: is told the run's folder as soon as it is there.
        typed: a digest of the model as it was typed, see `model_digest`; "" where it was not, or must be loaded.
    """

    model: Model
    tasks: Sequence[Task]
    task_options: Mapping[str, str] = field(default_factory=dict)
    output: Path = Path(OUTPUT)
    limit: int | None = None
    batch_size: int | None = None
    control: Control | None = None
    fresh: bool = False
    quiet: bool = False
    check: int | None = None
    probabilities: bool = False
    grading: Grading | None = None
    workers: WorkerSettings | None = None
    plugins: Sequence[str | Path] = ()
    failed: Mapping[str, Exception] = field(default_factory=dict)
    begun: Callable[[Path], object] = field(default=lambda _: None, compare=False, repr=False)
    typed: str = ""

    @property
    def source(self) -> DataSource:
        """Where the tasks' files are, see `source_of`."""
        return source_of(self.tasks)


def source_of(tasks: Sequence[Task]) -> DataSource:
    """Where tasks' files are, but for those that bring their own. Raises UserError if it is not one place."""
    shared = [task for task in tasks if not task.own_data] or tasks[:1]
    first, *others = (task.data for task in shared)
    if any(other != first for other in others):
        raise UserError("the tasks of a run read one data source; evaluate those of another one by themselves")
    return first
