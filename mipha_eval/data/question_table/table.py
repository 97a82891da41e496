"""A table of questions, row by row, whatever file it is in."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_json
from mipha_eval.core.plugins.references import ENDINGS
from mipha_eval.data.hub import open_parquet
from mipha_eval.data.jsonl import placed_jsonl
from mipha_eval.data.rows import entries
from mipha_eval.data.table import raw_table

if TYPE_CHECKING:
    from datasets import Dataset

#: a row's cells by column: JSON's values, bytes, and objects that hold bytes
Row = Mapping[str, object]
PlacedRows = Iterator[tuple[str, Row]]

#: rows that are looked at to tell columns and kind
LOOKED_AT = 1000


@dataclass(frozen=True)
class QuestionTable:
    """Where rows are.

    Attributes:
        name: for people.
        read: yields (place, row) pairs, anew at each call.
        folder: where the pictures' names begin; None where no names of files are.
        texts: whether every cell is a text, so that lists are written as JSON.
        again: reads the row of a number, from 0; None where what its cells hold is kept in memory.
    """

    name: str
    read: Callable[[], PlacedRows]
    folder: Path | None = None
    texts: bool = False
    again: Callable[[int], Row] | None = None

    def first_rows(self) -> list[tuple[str, Row]]:
        """Raises UserError if there are none."""
        found = list(itertools.islice(self.read(), LOOKED_AT))
        if not found:
            raise UserError(f"{self.name} has no rows")
        return found


def _json(path: Path) -> PlacedRows:
    return iter(entries(path, read_json(path)))


READERS: Mapping[str, Callable[[Path], PlacedRows]] = {
    ".jsonl": placed_jsonl,
    ".json": _json,
    **dict.fromkeys((".csv", ".tsv", ".xlsx"), partial(raw_table, strict=True)),
}
TEXTS = (".csv", ".tsv", ".xlsx")


def file_table(path: Path) -> QuestionTable:
    """The table in a file, by its ending. Raises UserError for a file that is not there, or of another kind."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UserError(f"{path} is no table of questions; these end in {', '.join(ENDINGS)}")
    if not path.is_file():
        raise UserError(f"{path} is no file")
    folder = path.resolve().parent
    if ending == ".parquet":
        dataset = open_parquet(path)
        return QuestionTable(path.name, partial(dataset_rows, path.name, dataset), folder, again=dataset.__getitem__)
    return QuestionTable(path.name, partial(READERS[ending], path), folder, ending in TEXTS)


def dataset_rows(name: str, dataset: Dataset) -> PlacedRows:
    """The rows of a dataset with their places; classes by their names."""
    from datasets import ClassLabel

    classes = {column: each for column, each in dataset.features.items() if isinstance(each, ClassLabel)}
    for number, row in enumerate(dataset, start=1):
        named = {column: each.int2str(row[column]) for column, each in classes.items() if row[column] is not None}
        yield f"{name}: row {number}", {**row, **named}
