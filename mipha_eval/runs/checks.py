"""What is refused before any work: names that are taken, controls that say nothing, folders that cannot be written to."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from mipha_eval.core.atomic import errors_naming
from mipha_eval.core.controls import NO_QUESTION
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.selection import says_its_name
from mipha_eval.core.task import Task
from mipha_eval.runs.settings import RunSettings


def check_labels(tasks: Sequence[Task]) -> None:
    """Raises UserError for tasks that one result would be of, and for one that takes another's name."""
    labels = [task.label for task in tasks]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise UserError(f"two tasks are called {twice}; give one another name")
    taken = next((task for task in tasks if not says_its_name(task)), None)
    if taken is not None:
        raise UserError(f"class {type(taken).__name__} calls itself {taken.label}, which is not its name to take")


def check_control(settings: RunSettings) -> None:
    """Raises UserError if a control would take nothing from the model."""
    name, adapter = settings.model.name, settings.model.adapter
    if settings.control and adapter.floor and not adapter.reads_images:
        raise UserError(f"model {name} looks at no picture and reads no question; a control says nothing of it")
    if settings.control not in (None, NO_QUESTION) and not adapter.reads_images:
        raise UserError(f"model {name} looks at no picture; the control {settings.control} says nothing of it")


def check_writable(folder: Path) -> None:
    """Raises UserError before any work if results could not be stored."""
    with errors_naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
