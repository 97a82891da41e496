"""Flags of verbs that take answer files beside runs: what they answer, and with which data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import task_names
from mipha_eval.cli.run_flags import DataFlags, TableFlags
from mipha_eval.core.options import parse_pairs

if TYPE_CHECKING:
    from mipha_eval.core.plugins.registry import Registry

Tasks = Annotated[
    Optional[list[str]],
    typer.Option(
        "--task",
        "-t",
        autocompletion=task_names,
        help="What answer files answer, and all that compare compares, as name or name@protocol; repeatable. "
        "Of one file alone: TASK=FILE.",
    ),
]
Kept = Annotated[
    Optional[Path],
    typer.Option("--answer-runs", help="Where the runs that are made of answer files are kept; none: beside each."),
]


@dataclass(frozen=True)
class AnswerFlags(TableFlags, DataFlags):
    """What a user says of answer files."""

    heading = "Answer files"
    rare = TableFlags.rare | DataFlags.rare | {"options", "answer_runs"}

    task: Tasks = None
    options: flags.Options = None
    subset: flags.Subset = False
    answer_runs: Kept = None

    @property
    def named(self) -> list[str]:
        """Names of tasks as runs have them, of those that are given."""
        from mipha_eval.core.plugins.references import is_reference

        return [name for name in self.task or () if not is_reference(name)]

    def runs(self, paths: Sequence[Path], registry: Registry, *, results: bool = True) -> list[Path]:
        """The paths, each answer file among them as the folder of the run that it is stored as.

        Args:
            results: whether files of results without answers may stand among them.
        """
        if all((path / "manifest.json").is_file() for path in paths):
            return [*paths]  # without all that scoring takes, which takes its time to import
        from mipha_eval.runs.given_runs import AnswerSettings, with_answers

        settings = AnswerSettings(
            self.completed(self.task or ()),
            self.data,
            self.annotations,
            self.image_dirs,
            parse_pairs(self.options or ()),
            self.subset,
            self.answer_runs,
            results,
        )
        return with_answers(paths, settings, registry)


#: the default of verbs' parameters; what a user says takes its place
NO_ANSWERS = AnswerFlags()
