"""What a data source holds: which question files, how many questions, which of their images."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.task import Task
from mipha_eval.core.task_label import TaskLabel
from mipha_eval.core.types import Image, Sample
from mipha_eval.data.hub import hub_names, mirrored
from mipha_eval.data.questions import read_questions

if TYPE_CHECKING:
    from huggingface_hub import HfApi

#: images that `where` looks for, of each task
LOOKED_AT = 20


@dataclass(frozen=True)
class ImageCount:
    """How many of the distinct images are there.

    Attributes:
        first_missing: the name of the first that is not.
        reason: why, if more is to be said than that it is not there.
    """

    total: int
    there: int
    first_missing: str = ""
    reason: str = ""

    def __str__(self) -> str:
        if not self.total:
            return "none belong to the questions"
        first = f", first missing {self.first_missing}" if self.first_missing else ""
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.there:,} of {self.total:,} there{first}{reason}"


@dataclass(frozen=True)
class Place:
    """What a source has for one task.

    Attributes:
        questions: how many, None if they have not been read.
        images: of the first images; None if they have not been looked for.
        where: the files that were read and why images are missing, or what file is missing and where it is to be had.
    """

    task: str
    found: bool
    questions: int | None
    images: ImageCount | None
    where: str


def protocols(source: DataSource, registry: Registry) -> list[str]:
    """Every task as ``name@protocol``; of the demo, which is a protocol of its own, only once.

    A task with files of its own has these whatever the source is.
    """
    names = []
    for name in registry.names("tasks"):
        owner, _ = registry.load("tasks", name)
        served = ["demo"] if source.kind == "demo" and not owner.own_data else owner.protocols
        names += [str(TaskLabel(owner.name, protocol, owner.variation)) for protocol in served]
    return names


def check_image_dirs(source: DataSource, registry: Registry) -> None:
    """Raises UserError for an image folder of a task that does not exist."""
    known = {name.replace("-", "_") for name in registry.names("tasks")}
    for name in source.image_dirs:
        if name.replace("-", "_") not in known:
            raise UserError(unknown("task with an image folder", name, known), flag="--image-dir")


def find_places(source: DataSource, registry: Registry) -> Iterator[Place]:
    """What the source has for each task@protocol, one after the other. Never raises for what is missing or broken."""
    check_image_dirs(source, registry)
    if source.kind == "hub" and source.root is None:
        yield from _places_on_hub(source, registry)
        return
    for label in protocols(source, registry):
        files: list[Path] = []
        try:
            task = build_task(label, {}, dataclasses.replace(source, note=files.append), registry)
            yield _place_on_disk(task, files)
        except UserError as error:
            yield Place(label, found=False, questions=None, images=None, where=str(error))


def _place_on_disk(task: Task, files: list[Path]) -> Place:
    """What is there for a task whose files are on this machine.

    Args:
        files: those that the task has read, once its questions are read.

    Raises:
        UserError: its questions cannot be read.
    """
    samples = read_questions(task)
    source = task.data
    where = str(mirrored(source.folder, task.hub[task.protocol])) if source.kind == "hub" else _below(source.folder, files)
    images = count_images(samples, LOOKED_AT)
    reason = f"; images: {images.reason}" if images.reason else ""
    return Place(task.label, True, len(samples), images, where + reason)


def count_images(samples: Sequence[Sample], most: int | None = None) -> ImageCount:
    """Looks which distinct images, or the first `most` of them, are there; decodes none."""
    every = dict.fromkeys(image for sample in samples for image in sample.images)
    images = list(itertools.islice(every, most))
    missing = [image for image in images if not is_there(image)]
    if not missing:
        return ImageCount(len(images), len(images))
    return ImageCount(len(images), len(images) - len(missing), missing[0].name, _why_missing(missing[0]))


def is_there(image: Image) -> bool:
    """Whether an image can be read. A file is not opened for it; a cell of a table or a row of a dataset is read."""
    if ".." not in PurePath(image.name).parts and Path(image.location).is_file():
        return True
    try:
        image.read()
    except (OSError, ValueError):
        return False
    return True


def _why_missing(image: Image) -> str:
    folder = Path(image.location.removesuffix(image.name))
    try:
        image.read()
    except FileNotFoundError:
        return "" if folder.is_dir() else f"there is no folder {folder}"
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def _below(folder: Path, files: Sequence[Path]) -> str:
    """The files, by their place in the folder where they lie in it."""
    return ", ".join(dict.fromkeys(str(path.relative_to(folder) if path.is_relative_to(folder) else path) for path in files))


def _places_on_hub(source: DataSource, registry: Registry) -> Iterator[Place]:
    """Asks the hub for the datasets; nothing is downloaded, so there is nothing to count."""
    answers: dict[str, str] = {}
    unreachable = ""
    for label in protocols(source, registry):
        absent = partial(Place, label, found=False, questions=None, images=None)
        files: list[Path] = []
        try:
            task = build_task(label, {}, dataclasses.replace(source, note=files.append), registry)
            if task.own_data:
                yield _place_on_disk(task, files)
                continue
        except UserError as error:
            yield absent(where=str(error))
            continue
        dataset = task.hub[task.protocol]
        if dataset not in answers and not unreachable:
            try:
                answers[dataset] = ask_hub(dataset)
            except UserError as error:
                unreachable = str(error)
        found = next(filter(None, map(_cached, hub_names(dataset))), "") or answers.get(dataset, "")
        if found:
            yield Place(label, True, None, None, found)
        else:
            yield absent(where=unreachable or f"the hub has no dataset {dataset}; give a folder with its files")


def ask_hub(dataset: str) -> str:
    """A line on a dataset of the hub, "" if the hub does not have it. Raises UserError if the hub cannot be reached."""
    from huggingface_hub import HfApi

    try:
        name = next((each for each in hub_names(dataset) if _is_there(HfApi(), each)), "")
    except Exception as error:  # huggingface_hub's own, its HTTP library's and OSErrors come out here
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"the hub cannot be reached ({reason}); give a folder", flag="--data FOLDER") from error
    return f"{name} on the hub, downloaded when it is first read" if name else ""


def _is_there(hub: HfApi, dataset: str) -> bool:
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        hub.dataset_info(dataset, timeout=10)
    except RepositoryNotFoundError:
        return False
    return True


def _cached(dataset: str) -> str:
    """The folder of a dataset in the hub's cache; "" if nothing of it has been downloaded."""
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE) / f"datasets--{dataset.replace('/', '--')}"
    return f"{folder}, downloaded" if any(folder.glob("snapshots/*/**/*.parquet")) else ""
