"""``manifest.json``: what decides the answers of a run, and what it was made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from mipha_eval.core.atomic import write_json
from mipha_eval.core.controls import Control
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_object
from mipha_eval.core.json_value import Json
from mipha_eval.core.record import Text, checked, record_json
from mipha_eval.store.migrations import FORMAT
from mipha_eval.store.worker_record import WorkerRecord, with_workers

#: options that say which checkpoint it is
CHECKPOINT = ("path", "model")
HINT = "is this a run folder?"
#: fields that only some runs have
OF_SOME = ("control", "code", "asking", "as_published", "datasets", "workers", "answers")
#: what decides the answers of a run, beside the control
DECIDING = (
    "model",
    "options",
    "task_options",
    "weights",
    "data",
    "annotations",
    "image_dirs",
    "code",
    "asking",
    "as_published",
)


class TypedModel(Struct, frozen=True):
    """The model as it was typed: ``key=value`` texts."""

    options: tuple[str, ...] = ()


class TypedRun(Struct, frozen=True):
    """What was typed, as far as anything reads it again."""

    model: TypedModel = TypedModel()


class Manifest(Struct, frozen=True, kw_only=True):
    """How a run was asked for. Another version's fields are not read, and stay in the file.

    Attributes:
        schema: the run folder's format.
        identity: a digest of all that decides the answers; the same command finds its run by it.
        mipha_eval: the version that began the run.
        argv, config: what was typed.
        model: its name; `options`: its own options; `task_options`: those of tasks, as ``TASK.key``.
        weights: what the adapter says of its weights, device and precision.
        data: the data source as it was typed; `annotations`, `image_dirs`: files in place of its own.
        blind: whether the model saw grey pictures; `control` another control, see `asked_under`.
        code: a digest of the adapter's code, where that is a plugin.
        asking: how benchmarks are asked, where not in their own words and greedily; ``TASK.key`` of one alone.
        as_published: whether the model's preset says that its paper or card asked it so.
        about: facts on the model, such as its size.
        python, machine, packages, started: what it ran on, and when.
        datasets: those of the hub that were read, and their revisions.
        workers: processes of their own that answered, by their numbers; none where the model was in the run's process.
        answers: the answer file, or folder, that the run was made of; None where a model was asked.
    """

    schema: int = 0
    identity: str = ""
    mipha_eval: str = ""
    argv: tuple[str, ...] = ()
    config: Mapping[str, Json] = {}
    model: Text
    options: Mapping[str, str] = {}
    task_options: Mapping[str, str] = {}
    weights: Mapping[str, Json] = {}
    data: Text
    annotations: str | None = None
    image_dirs: Mapping[str, str] = {}
    blind: bool = False
    control: Control | None = None
    code: str | None = None
    asking: Mapping[str, Json] | None = None
    as_published: bool | None = None
    about: Mapping[str, Json] = {}
    python: str = ""
    machine: str = ""
    packages: Mapping[str, str] = {}
    started: str = ""
    datasets: Mapping[str, str] | None = None
    workers: tuple[WorkerRecord, ...] = ()
    answers: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError, which says that the record is damaged."""
        try:
            _ = self.typed_options
        except UserError as error:
            raise ValueError(str(error)) from error

    @property
    def asked_under(self) -> Control | None:
        """The control that the model was asked under; None for none."""
        return "blind" if self.blind else self.control

    def is_of_same_model(self, other: Manifest) -> bool:
        """Whether all that decides the answers is the same but for the control."""
        return all(getattr(self, name) == getattr(other, name) for name in DECIDING)

    @property
    def next_worker(self) -> int:
        """The number of the next worker; those of workers that were never ready stay free."""
        return max((each.index for each in self.workers), default=-1) + 1

    @property
    def typed_options(self) -> tuple[str, ...]:
        """The model's options as they were typed, ``key=value``."""
        return checked(TypedRun, self.config, "config").model.options

    @property
    def checkpoint(self) -> str | None:
        """The path, or the name at the hub or a server, of the chosen weights; None where the model has its own."""
        typed = {option.partition("=")[0].strip() for option in self.typed_options}
        return next((self.options[key] for key in CHECKPOINT if key in typed and key in self.options), None)

    @property
    def display_name(self) -> str:
        """Model and checkpoint; `run_names` makes of it what the run is called beside others."""
        return model_name(self.model, self.checkpoint)


def model_name(model: str, checkpoint: str | None, *, whole: bool = False) -> str:
    """What a model is called: its name and, where a checkpoint was chosen, the last part of that one's path or id.

    Args:
        whole: all of the path or id, not its last part.
    """
    if checkpoint is None:
        return model
    return f"{model} {checkpoint if whole else Path(checkpoint).name or checkpoint}"


def read_manifest(path: Path) -> Manifest:
    """Raises UserError if it is missing or damaged."""
    return checked(Manifest, read_object(path, HINT), str(path))


def write_manifest(path: Path, manifest: Manifest) -> None:
    found = record_json(manifest)
    write_json(path, {name: value for name, value in found.items() if name not in OF_SOME or value not in (None, ())})


def note_workers(path: Path, workers: Sequence[WorkerRecord]) -> None:
    """Notes workers in a manifest, in place of those of the same number; all else stays as it is."""
    found = read_object(path, HINT)
    write_json(path, {**found, "workers": with_workers(found.get("workers", []), workers, f"{path}, field workers,")})


def note_datasets(path: Path, revisions: Mapping[str, str]) -> None:
    """Notes in a manifest which revisions of the hub's datasets were read; all else stays as it is."""
    found = read_object(path, HINT)
    before = checked(Manifest, found, str(path)).datasets or {}
    write_json(path, {**found, "datasets": {**before, **revisions}})


def raise_format(path: Path) -> None:
    """Notes in a manifest that this version has written into the run; all else stays as it is."""
    found = read_object(path, HINT)
    if checked(Manifest, found, str(path)).schema < FORMAT:
        write_json(path, {**found, "schema": FORMAT})


def check_format(manifest: Manifest, folder: Path) -> None:
    """Raises UserError for a run of a newer version, which may mean other things by the same names."""
    if manifest.schema > FORMAT:
        raise UserError(f"{folder} was written by a newer mipha-eval; update this one")
