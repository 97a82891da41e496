"""Rows of the hub's datasets, through the `datasets` library; a local mirror folder serves offline."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from mipha_eval.data.source import DataSource
from mipha_eval.errors import UserError
from mipha_eval.types import Image

#: where lmms-lab's datasets were moved in 2026; the old names are redirected there
NEW_OWNER = "lmms-lab-encoder"


def read_hub(source: DataSource, name: str, split: str = "test", config: str | None = None) -> HubRows:
    """Opens a split of a dataset such as ``lmms-lab/POPE``, of one of its configurations if it has several.

    Raises:
        UserError: the dataset is neither in the mirror nor reachable.
    """
    from datasets import Image as ImageFeature
    from datasets import List, disable_progress_bars, load_dataset

    disable_progress_bars()
    where = name
    if source.root is not None:
        plain = name.split("/")[1]
        places = (source.root / name, source.root / NEW_OWNER / plain, source.root / plain)
        folders = [folder for folder in places if folder.is_dir()]
        if not folders:
            raise UserError(f"{source.root / name} is missing; the mirror {source.root} has no dataset {name}")
        where = str(folders[0])
    try:
        dataset = load_dataset(where, config, split=split)
    except Exception as error:  # datasets raises its own, huggingface_hub's, pyarrow's and OSErrors here
        reason = str(error).splitlines()[0]
        raise UserError(f"dataset {name} cannot be opened ({reason}); without the hub give --data FOLDER") from error
    if "image" in dataset.features:
        undecoded = ImageFeature(decode=False)
        single = isinstance(dataset.features["image"], ImageFeature)
        dataset = dataset.cast_column("image", undecoded if single else List(undecoded))
    return HubRows(name, dataset)


class HubRows:
    """A dataset without its images, which are read one by one when they are asked for."""

    def __init__(self, name: str, dataset: Any) -> None:
        self._name = name
        self._dataset = dataset

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yields (row number, row without ``image``)."""
        columns = [column for column in self._dataset.column_names if column != "image"]
        yield from enumerate(self._dataset.select_columns(columns))

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
