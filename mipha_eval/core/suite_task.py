"""A task that another suite defines: what is kept of it, so that a run of it is read again without that suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from msgspec import Struct

from mipha_eval.core.record import Text
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


class SuiteTask(Task):
    """What tasks of other suites have in common; each is of a class of its own, made of its definition."""

    definition: ClassVar[SuiteDefinition]
    own_data: ClassVar[bool] = True
    #: whether the suite's own code asks a judge when it reads an answer
    asks_judge: ClassVar[bool] = False


def suite_definition_of(task: Task) -> SuiteDefinition | None:
    """The definition of another suite's task; None for any other."""
    return task.definition if isinstance(task, SuiteTask) else None
