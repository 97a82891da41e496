"""Rows of the hub's datasets, through the `datasets` library; a local mirror folder serves offline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import MissingDataError, UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.library_messages import take_off_terminal
from mipha_eval.core.types import Image

if TYPE_CHECKING:
    from datasets import Dataset

Opened = TypeVar("Opened")

BATCH = 1000  # rows that are read from a dataset at once

#: who owned the sets of pictures until July 2026, and who owns them since; the hub redirects, mirrors and caches do not
OWNERS = ("lmms-lab", "lmms-lab-encoder")


def read_hub(source: DataSource, name: str, split: str = "test", config: str | None = None) -> HubRows:
    """Opens a split of a dataset such as ``lmms-lab-encoder/POPE``, of one of its configurations if it has several.

    Raises:
        UserError: the dataset is neither in the mirror nor reachable.
    """
    return HubRows(name, open_dataset(source, name, split, config))


def open_dataset(source: DataSource, name: str, split: str, config: str | None) -> Dataset:
    """A split of a dataset; its pictures come as they are stored, and are not decoded.

    Raises:
        UserError: the dataset is neither in the mirror nor reachable.
    """
    from datasets import load_dataset

    _be_quiet()
    with _naming(name):
        dataset = _first(source, name, lambda where: load_dataset(where, config, split=split))
    if revision := revision_of(dataset):
        source.revisions[name] = revision
    return _undecoded(dataset)


def revision_of(dataset: Dataset) -> str:
    """The revision of the hub's repository that a dataset was read from; "" for files of this machine."""
    sources = map(str, dataset.info.download_checksums or {})
    found = next((source for source in sources if source.startswith("hf://") and "@" in source), "")
    return found.partition("@")[2].partition("/")[0]


def open_parquet(path: Path) -> Dataset:
    """A parquet file as a dataset; its pictures come as they are stored. Raises UserError for a file that is none."""
    from datasets import Dataset

    _be_quiet()
    try:
        return _undecoded(Dataset.from_parquet(str(path)))
    except Exception as error:  # as above
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"cannot read {path}: {reason}") from error


def split_names(source: DataSource, name: str, config: str | None) -> list[str]:
    """The splits of a dataset. Raises UserError as `open_dataset` does."""
    from datasets import get_dataset_split_names

    _be_quiet()
    with _naming(name):
        return list(_first(source, name, lambda where: get_dataset_split_names(where, config)))


def _be_quiet() -> None:
    from datasets import disable_progress_bars
    from huggingface_hub.utils.tqdm import disable_progress_bars as disable_bars_of_hub

    disable_progress_bars()
    disable_bars_of_hub()
    take_off_terminal("datasets", "huggingface_hub")


def _first(source: DataSource, name: str, opened: Callable[[str], Opened]) -> Opened:
    """What is opened in the mirror, else under the first of a dataset's names on the hub that leads to one."""
    if source.root is not None:
        return opened(str(mirrored(source.root, name)))
    first, *others = hub_names(name)
    try:
        return opened(first)
    except Exception:  # as in `_naming`; a cache may have it under the other name alone
        for other in others:
            with suppress(Exception):
                return opened(other)
        raise


def hub_names(name: str) -> list[str]:
    """A dataset's names on the hub: as it is called, then by its other owner, if it is one of those that were moved."""
    owner, _, plain = name.partition("/")
    return [name, *(f"{other}/{plain}" for other in OWNERS if owner in OWNERS and other != owner)]


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Turns whatever goes wrong with a dataset into a UserError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # datasets raises its own, huggingface_hub's, pyarrow's and OSErrors here
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"dataset {name} cannot be opened ({reason}); without the hub give a folder with its files", flag="--data FOLDER"
        ) from error


def _undecoded(dataset: Dataset) -> Dataset:
    from datasets import Image as ImageFeature
    from datasets import List

    as_stored = ImageFeature(decode=False)
    for column, feature in dataset.features.items():
        if isinstance(feature, ImageFeature):
            dataset = dataset.cast_column(column, as_stored)
        elif isinstance(getattr(feature, "feature", None), ImageFeature):
            dataset = dataset.cast_column(column, List(as_stored))
    return dataset


def mirrored(mirror: Path, name: str) -> Path:
    """The folder of a mirror that holds a dataset. Raises MissingDataError."""
    plain = name.split("/")[1]
    for folder in (*(mirror / each for each in hub_names(name)), mirror / plain):
        if folder.is_dir():
            return folder
    raise MissingDataError(f"{mirror / name} is missing; the mirror {mirror} has no dataset {name}")


class HubRows:
    """A dataset without its images, which are read one by one when they are asked for."""

    def __init__(self, name: str, dataset: Dataset) -> None:
        self._name = name
        self._dataset = dataset

    def __iter__(self) -> Iterator[tuple[int, JsonObject]]:
        """Yields (row number, row without ``image``)."""
        columns = [column for column in self._dataset.column_names if column != "image"]
        tables = self._dataset.select_columns(columns).with_format("arrow").iter(BATCH)  # row by row takes twice as long
        yield from enumerate(row for table in tables for row in table.to_pylist())

    def image(self, row: int, name: str) -> Image:
        """The image of a row; `name` must be the same for rows that hold the same picture."""
        return Image(name, f"{self._name}/{name}", partial(self._read, row))

    def has_image(self, row: int) -> bool:
        """Whether a row holds an image."""
        return self._dataset[row]["image"] is not None

    def _read(self, row: int) -> bytes:
        image = self._dataset[row]["image"]
        if isinstance(image, list):  # frames of a video; LLaVA shows the middle one
            image = image[len(image) // 2] if image else None
        if image is None or image["bytes"] is None:
            raise OSError(f"row {row} of {self._name} has no image")
        data: bytes = image["bytes"]
        return data
