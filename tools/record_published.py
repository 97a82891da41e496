"""For maintainers: ``python -m tools.record_published FILE`` writes ``results/published`` from one table of scores.

The table has the columns of the files. A number whose source nobody can open is left out. What the table says of other
sources' values in a note is dropped: it follows from the rows.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from mipha_eval.reporting.published import COLUMNS, published_folder

OPENABLE = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{7,}|https://")  # repository@commit, or an address
OTHER_SOURCES = re.compile(r"(; )?other sources: .*$")


def record(table: Path, folder: Path) -> list[Path]:
    """Writes a file a benchmark, the rows in the order of the table; returns the files."""
    by_benchmark: dict[str, list[list[str]]] = {}
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if OPENABLE.match(row["source"]):
                cells = [*(row[name] for name in COLUMNS[:-1]), OTHER_SOURCES.sub("", row["note"])]
                by_benchmark.setdefault(row["benchmark"], []).append(cells)
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(folder / f"{name.lower()}.csv", rows) for name, rows in sorted(by_benchmark.items())]


def _write(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return path


if __name__ == "__main__":
    for written in record(Path(sys.argv[1]), published_folder()):
        print(written)
