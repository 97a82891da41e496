"""Tab-separated tables as pandas would read them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from mipha_eval.errors import UserError

#: cells that pandas takes for missing by default, as of pandas 3.1
MISSING = {""}.union(
    ["#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"],
    ["1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"],
)


def read_table(path: Path) -> Iterator[dict[str, str | None]]:
    """Yields a row of a TSV as column -> cell; None where pandas would say missing. Cells may span lines in quotes."""
    csv.field_size_limit(sys.maxsize)  # a cell may hold a picture
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                yield {column: None if cell is None or cell in MISSING else cell for column, cell in row.items()}
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
