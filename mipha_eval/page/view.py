"""Runs side by side, down to single answers: what ``mipha-eval view`` shows, whether from a file or from a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mipha_eval import __version__
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.page.latex import latex_table
from mipha_eval.page.outcomes import read_outcomes
from mipha_eval.page.questions import Questions
from mipha_eval.page.runs import ShownRun, result_facts, run_facts
from mipha_eval.page.thumbnails import Pictures

IMAGES = 50  # pictures that a page reads at a time
SCRIPT = "view.js"


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

    def document(self, standing: Mapping[str, Any]) -> dict[str, Any]:
        """What a page knows before it reads any question; `standing` is said beside it."""
        tasks = [(task, [self._result(run, task.label) for run in self.runs]) for task in self.questions]
        return {
            "by": f"mipha-eval {__version__}",
            "runs": [run_facts(run) for run in self.runs],
            "tasks": [{**task.index(), "results": results} for task, results in tasks],
            "latex": latex_table([run.name for run in self.runs], [(task.label, results) for task, results in tasks]),
            "imagePiece": IMAGES,
            **standing,
        }

    @staticmethod
    def _result(run: ShownRun, label: str) -> dict[str, Any] | None:
        return result_facts(run.results[label], run.others[label]) if label in run.results else None
