"""A task that another suite defines: what is kept of it, so that a run of it is read again without that suite."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from msgspec import Struct

from mipha_eval.core.record import Finite, Text
from mipha_eval.core.task import Task


class SuiteDefinition(Struct, frozen=True, kw_only=True):
    """Another suite's task, as far as it is known without that suite.

    Attributes:
        scheme: what names of its tasks begin with, ``lmms`` of ``lmms:pope``.
        suite, version: which suite, and of which version its code is.
        task: as the suite calls it.
        name: as it is called here, in small letters.
        about: a line on it.
        include: folders with the user's own definitions.
        dataset: what it reads, as the suite names it, with configuration and split.
        metrics: as the suite calls them, the headline first.
        unmeasured: metrics that cannot be told here, and why.
        max_new_tokens, num_beams: how answers are generated.
        stops: texts at which the suite ends an answer.
        ranked: whether options are ranked by their likelihood, and nothing is generated.
        sampled: whether the suite draws answers that are generated greedily here.
    """

    scheme: Text
    suite: Text
    version: Text
    task: Text
    name: Text
    about: str = ""
    include: tuple[str, ...] = ()
    dataset: str = ""
    metrics: tuple[str, ...]
    unmeasured: Mapping[str, str] = {}
    max_new_tokens: int = 128
    num_beams: int = 1
    stops: tuple[str, ...] = ()
    ranked: bool = False
    sampled: bool = False

    @property
    def protocol(self) -> str:
        return f"{self.suite}-{self.version}"


class GroupNumbers(Struct, frozen=True, kw_only=True):
    """What a suite says of a group of its tasks as a whole.

    Attributes:
        group: its name with the protocol, as of a task.
        metrics: as the suite calls them.
        how: in words how a metric is made of the tasks' own, by metric.
        why_not: why there is no number; else "".
    """

    group: Text
    metrics: Mapping[str, Finite] = {}
    how: Mapping[str, str] = {}
    why_not: str = ""


class SuiteGroup(ABC):
    """A group of another suite's tasks that was named as one."""

    @abstractmethod
    def numbers(self, metrics: Mapping[str, Mapping[str, float]]) -> Sequence[GroupNumbers]:
        """What the suite's code says of the group and of those in it, once its tasks are scored in this process.

        Args:
            metrics: of each task whose result is whole, by label.
        """


class SuiteTask(Task):
    """What tasks of other suites have in common; each is of a class of its own, made of its definition."""

    definition: ClassVar[SuiteDefinition]
    own_data: ClassVar[bool] = True
    #: whether the suite's own code asks a judge when it reads an answer
    asks_judge: ClassVar[bool] = False
    #: the group that was named for it; None where the task itself was
    group: ClassVar[SuiteGroup | None] = None


def suite_definition_of(task: Task) -> SuiteDefinition | None:
    """The definition of another suite's task; None for any other."""
    return task.definition if isinstance(task, SuiteTask) else None
