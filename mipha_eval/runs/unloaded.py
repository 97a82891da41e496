"""A model that was named and is not built: a run of it that is done is answered from what it stored.

To find its run by the usual way the model must be loaded, since the weights' digest is part of a run's identity, and that
takes torch and seconds to minutes. The same command on the same machine, with the same programs and files, comes to the same
identity; so where ``loaded.json`` says that these are what they were, the run that they led to is the one. Everything else
goes its usual way, with a model that is asked nothing: where anything is lacking, the model is built and loaded after all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.asking import ASKING
from mipha_eval.core.errors import UserError, UserInterruptError
from mipha_eval.core.from_files import FromFiles
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.plugins.blame import is_foreign
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.types import Request, Response
from mipha_eval.runs.settings import RunSettings
from mipha_eval.runs.typed_digest import run_digest
from mipha_eval.store.loaded_record import NAME, LoadedRecord, read_loaded, write_loaded
from mipha_eval.store.manifest import Manifest
from mipha_eval.store.run_folder import RunFolder


class QuestionsLeftError(Exception):
    """A model that is not built was to be asked."""


@dataclass(frozen=True)
class Unloaded(ModelAdapter):
    """Stands in for a model.

    Attributes:
        build: makes the model itself. Raises UserError.
        run: the folder with the model's run; None while none is found.
    """

    name: ClassVar[str] = "unloaded"

    build: Callable[[], Model] = field(compare=False)
    run: Path | None = None

    @property
    def folder(self) -> RunFolder:
        """The model's run."""
        if self.run is None:
            raise QuestionsLeftError
        return RunFolder.open(self.run)

    def describe(self) -> JsonObject:
        return self.folder.manifest().weights

    def about(self) -> dict[str, str | float]:
        return {name: value for name, value in self.folder.manifest().about.items() if isinstance(value, str | int | float)}

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        raise QuestionsLeftError


def check_answered(adapter: ModelAdapter, questions: int, *, stopped: bool) -> None:
    """Raises QuestionsLeftError if a model that is not built would be asked so many questions.

    Where Ctrl-C came meanwhile it is a UserInterruptError, since nobody else would know of it.
    """
    if isinstance(adapter, Unloaded) and questions:
        raise UserInterruptError if stopped else QuestionsLeftError


def may_stay_unloaded(options: Iterable[str]) -> bool:
    """Whether all that is known of a model with these options, but for its run, can be known without it."""
    return not any(key.rpartition(".")[2] in ASKING for key in options)


def was_loaded(output: Path, typed: str) -> bool:
    """Whether a run was made with a model that was typed the same; then nothing is wrong with how it is typed."""
    return bool(typed) and any(record.model == typed for _, record in _records(output))


def recalled(settings: RunSettings) -> RunSettings | None:
    """With the run that the model led to before, if that is surely the one and seems to be done."""
    stand_in = settings.model.adapter
    if not isinstance(stand_in, Unloaded) or settings.fresh:
        return None
    same = run_digest(settings)
    found = [path for path, record in _records(settings.output) if record.run == same and record.unchanged]
    try:
        run = _newest(settings.output, [RunFolder.open(path).manifest() for path in found])
        if run is None or not all(_seems_done(run, task.label, settings.limit) for task in settings.tasks):
            return None
        manifest = run.manifest()
    except UserError:  # something is damaged, of which the usual way tells
        return None
    adapter = replace(stand_in, run=run.path)
    return replace(settings, model=replace(settings.model, name=manifest.model, adapter=adapter))


def _records(output: Path) -> Iterator[tuple[Path, LoadedRecord]]:
    """Runs with what their models were loaded from, as far as that is noted."""
    for file in sorted(output.glob(f"*/{NAME}")):
        record = read_loaded(file.parent)
        if record is not None:
            yield file.parent, record


def _newest(output: Path, manifests: Sequence[Manifest]) -> RunFolder | None:
    """The run that the usual way finds by the manifests' identity, if they have one."""
    identities = {manifest.identity for manifest in manifests}
    return RunFolder.find(output, identities.pop()) if len(identities) == 1 else None


def _seems_done(run: RunFolder, label: str, limit: int | None) -> bool:
    """Whether a task has a result of as many questions; each is looked at later."""
    status = run.status().get(label)
    if status is None or status.state not in ("done", "judge"):
        return False
    context = run.task(label).read_task().run_context
    return context is not None and not (context.limited and limit is None)


def built(settings: RunSettings) -> RunSettings:
    """With the model itself. Raises UserError."""
    stand_in = settings.model.adapter
    return replace(settings, model=stand_in.build()) if isinstance(stand_in, Unloaded) else settings


def note_loaded(settings: RunSettings, folder: RunFolder) -> None:
    """Notes what the model of a run was loaded from, where the same command need not load it again."""
    model, adapter = settings.model, settings.model.adapter
    if not settings.typed or not isinstance(adapter, FromFiles) or is_foreign(type(adapter)):
        return
    plain = model.published is None and not any(model.changed(task.name) for task in settings.tasks)
    if plain and adapter.reads_images and not adapter.floor and settings.workers is None:
        write_loaded(folder.path, settings.typed, run_digest(settings), adapter.deciding_files)
