"""Runs side by side, down to single answers: what ``mipha-eval view`` shows, whether from a file or from a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct
from msgspec.structs import asdict

from mipha_eval import __version__
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.page.facts import ResultFacts, RunFacts, result_facts
from mipha_eval.page.latex import latex_table
from mipha_eval.page.outcomes import read_outcomes
from mipha_eval.page.questions import QuestionIndex, Questions
from mipha_eval.page.runs import ShownRun, run_facts
from mipha_eval.page.thumbnails import Pictures

IMAGES = 50  # pictures that a page reads at a time
SCRIPT = "view.js"


class TaskFacts(QuestionIndex, frozen=True):
    """A task on a page; `results` of each run, None where it has none."""

    results: tuple[ResultFacts | None, ...] = ()


class Document(Struct, frozen=True, rename={"image_piece": "imagePiece", "left_out": "leftOut"}):
    """What a page knows before it reads any question, as its scripts get it.

    Attributes:
        by: what wrote it.
        latex: the runs' headlines as a table.
        image_piece: pictures that it reads at a time.
        served: whether a server has the rest.
        left_out: tasks whose questions do not stand in the page.
    """

    by: str
    runs: tuple[RunFacts, ...]
    tasks: tuple[TaskFacts, ...]
    latex: str
    image_piece: int
    served: bool
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """Runs with all their tasks; questions and answers are read when they are first asked for."""

    runs: Sequence[ShownRun]
    registry: Registry
    pictures: Pictures = field(default_factory=Pictures)

    @cached_property
    def questions(self) -> list[Questions]:
        """Of each task that any run has begun, by label."""
        begun = [run.folder.tasks() for run in self.runs]
        return [
            Questions(
                label,
                [
                    read_outcomes(run, label, self.registry) if label in own else None
                    for run, own in zip(self.runs, begun, strict=True)
                ],
                self.pictures,
            )
            for label in sorted({label for own in begun for label in own})
        ]

    @property
    def title(self) -> str:
        return ", ".join(run.name for run in self.runs)

    def document(self, *, served: bool, left_out: Sequence[str] = ()) -> Document:
        """What a page knows before it reads any question."""
        tasks = [(task, tuple(self._result(run, task.label) for run in self.runs)) for task in self.questions]
        return Document(
            by=f"mipha-eval {__version__}",
            runs=tuple(run_facts(run) for run in self.runs),
            tasks=tuple(TaskFacts(**asdict(task.index()), results=results) for task, results in tasks),
            latex=latex_table([run.name for run in self.runs], [(task.label, results) for task, results in tasks]),
            image_piece=IMAGES,
            served=served,
            left_out=tuple(left_out),
        )

    @staticmethod
    def _result(run: ShownRun, label: str) -> ResultFacts | None:
        return result_facts(run.results[label], run.others[label]) if label in run.results else None
