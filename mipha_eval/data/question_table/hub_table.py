"""A dataset of the hub as a table of questions."""

from __future__ import annotations

from functools import partial

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError
from mipha_eval.data.hub import open_dataset, split_names
from mipha_eval.data.question_table.table import QuestionTable, dataset_rows

#: the split of a benchmark where nobody names one, if it has it
USUAL_SPLITS = ("test", "validation", "val", "train")


def hub_table(source: DataSource, name: str, split: str = "", config: str = "") -> QuestionTable:
    """A split of a dataset such as ``owner/name``.

    Raises:
        UserError: it cannot be reached, or has several splits and none of the usual ones.
    """
    chosen = split or _usual(name, split_names(source, name, config or None))
    dataset = open_dataset(source, name, chosen, config or None)
    place = f"{name}, {chosen}"
    return QuestionTable(place, partial(dataset_rows, place, dataset), again=dataset.__getitem__)


def _usual(name: str, splits: list[str]) -> str:
    if len(splits) == 1:
        return splits[0]
    found = next((each for each in USUAL_SPLITS if each in splits), None)
    if found is None:
        raise UserError(f"dataset {name} has the splits {', '.join(splits)}; say which: hub:{name}?split=NAME")
    return found
