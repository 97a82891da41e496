"""Runs of the same model that lie beside a run, under another control or under none."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from mipha_eval.core.controls import NO_QUESTION, Control
from mipha_eval.core.errors import UserError
from mipha_eval.runs.task_run import TaskRun
from mipha_eval.store.run_folder import RunFolder

#: what a model is asked under with the benchmark's own pictures
OWN_PICTURES = (None, NO_QUESTION)


@dataclass(frozen=True)
class Sibling:
    """A run, and the control that its model was asked under; None for none."""

    folder: RunFolder
    control: Control | None


def siblings(folder: RunFolder) -> list[Sibling]:
    """Oldest first; what cannot be read, or was written by a newer version, is left out."""
    own, found = folder.manifest(), []
    beside = folder.path.resolve().parent.glob("*/manifest.json")
    for file in sorted(beside, key=lambda file: file.parent.name.split("__")[-2:]):
        with contextlib.suppress(UserError):
            other = RunFolder.open(file.parent)
            manifest = other.manifest()
            if manifest.asked_under != own.asked_under and manifest.is_of_same_model(own):
                found.append(Sibling(other, manifest.asked_under))
    return found


def take_answers(task: TaskRun, control: Control | None, beside: Sequence[Sibling]) -> None:
    """Takes what these runs have answered to the very same requests, so that it is not asked again.

    A control leaves some requests as they are: grey pictures those without a picture, no question those that have none.

    Args:
        control: that the task is asked under.
    """
    for sibling in reversed(beside):
        alike = {control, sibling.control} <= {*OWN_PICTURES}
        places = [place for place in task.todo if alike or not task.requests[place].images]
        if places:
            with contextlib.suppress(UserError):  # of a damaged file nothing is taken
                task.take(sibling.folder.task(task.label).responses(), places, sibling.folder.path.name)
