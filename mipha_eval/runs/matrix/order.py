"""What passes between a matrix and the processes of its models, a line of JSON each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.runs.defaults import OUTPUT


class Shared(Struct, frozen=True, kw_only=True):
    """What all runs of a matrix have in common; see `evaluate`.

    Attributes:
        tasks: their labels.
        data: as it is typed, such as ``demo``.
        image_dirs: task -> folder.
        task_options: as ``task.key``.
        judge, grades: who grades; a judge's budget is that of one run.
        as_published: whether presets are asked as their papers asked them.
        progress: whether it is told.
        workers: who answers on a cluster in place of each model's process; None for nobody.
    """

    tasks: tuple[str, ...] = ()
    data: str = ""
    annotations: str | None = None
    image_dirs: Mapping[str, str] = {}
    task_options: Mapping[str, str] = {}
    output: str = OUTPUT
    limit: int | None = None
    batch_size: int | None = None
    check: int | None = None
    probabilities: bool = False
    as_published: bool = False
    judge: JudgeChoice | None = None
    grades: str | None = None
    fresh: bool = False
    progress: bool = True
    plugins: tuple[str, ...] = ()
    workers: WorkerSettings | None = None


class Order(Struct, frozen=True, kw_only=True):
    """A model that a process is started for. Behind it comes a `Turn` for each run.

    Attributes:
        options: the model's, as texts.
        as_published: whether it is asked as its paper asked it.
        argv: what was typed, for the manifest.
        level: from which on messages are heard.
    """

    shared: Shared
    model: str
    options: Mapping[str, str]
    as_published: bool
    argv: tuple[str, ...]
    level: int


class Turn(Struct, frozen=True):
    """A run of the model, under a control or under none."""

    control: str | None = None


class Said(Struct, frozen=True, tag=True):
    """A message of logging."""

    logger: str
    level: int
    text: str


class Progressed(Struct, frozen=True, tag=True):
    """A line that says how far a run is."""

    line: str


class Begun(Struct, frozen=True, tag=True):
    """A run's folder is there."""

    run: str


class Ended(Struct, frozen=True, tag=True):
    """A run has come to its end.

    Attributes:
        failed: why tasks have no result, by label.
        reason: why it has none at all; "" if it has one.
        flag: what mends that on a command line.
        stopped: whether the user stopped it at once.
    """

    failed: Mapping[str, str] = {}
    reason: str = ""
    flag: str = ""
    stopped: bool = False


Event: TypeAlias = Said | Progressed | Begun | Ended
