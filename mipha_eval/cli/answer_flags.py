"""Flags of verbs that take answer files beside runs: what they answer, and with which data."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import task_names
from mipha_eval.cli.flag_groups import is_typed
from mipha_eval.cli.run_flags import DataFlags, TableFlags

if TYPE_CHECKING:
    from mipha_eval.core.plugins.registry import Registry

#: how tables end that are written beside runs; no answer file ends so
TABLES = (".md", ".tex")

logger = logging.getLogger(__name__)

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

        Tables that `run --models` wrote beside its runs are left out, so that a shell's ``*`` is of the runs alone.

        Args:
            results: whether files of results without answers may stand among them.
        """
        paths = [*_without_tables(paths)]
        if all((path / "manifest.json").is_file() for path in paths):
            return paths  # without all that scoring takes, which takes its time to import
        from mipha_eval.runs.given_runs import AnswerSettings, with_answers

        typed = is_typed("data")  # a variable of the environment is about no file, as a run beside one is
        settings = AnswerSettings(
            self.completed(self.task or ()),
            self.data if typed else None,
            self.annotations,
            self.image_dirs,
            flags.option_texts(self.options),
            self.subset,
            self.answer_runs,
            results,
            usual="" if typed else self.data or "",
        )
        return with_answers(paths, settings, registry)


def _without_tables(paths: Sequence[Path]) -> Iterator[Path]:
    """The paths without tables that stand beside runs that are among them."""
    places = {path.absolute().parent for path in paths if (path / "manifest.json").is_file()}
    for path in paths:
        if path.suffix in TABLES and path.absolute().parent in places and path.is_file():
            logger.info("%s is a table of runs, and left out", path)
        else:
            yield path


#: the default of verbs' parameters; what a user says takes its place
NO_ANSWERS = AnswerFlags()
