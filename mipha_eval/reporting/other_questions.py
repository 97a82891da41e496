"""Rows that were asked other questions under the same name: whoever makes a benchmark may change it, or call two alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mipha_eval.core.printable import printable
from mipha_eval.reporting.measured import Measured, StoredResult
from mipha_eval.reporting.table import Cell
from mipha_eval.store.run_folder import RunFolder

#: a row's sources and a label -> what stands in a footnote
Remarks = Mapping[tuple[object, str], str]


def other_questions(rows: Sequence[Measured]) -> Remarks:
    """What is said of results to other questions than most rows were asked, or than the first where as many were.

    Looked at are tables of questions and tasks of plugins; a bundled benchmark's questions are counted and verified.
    """
    found: dict[tuple[object, str], str] = {}
    for label in dict.fromkeys(label for row in rows for label in row.results):
        asked = [(row, digest) for row in rows if label in row.results and (digest := _digest(row.results[label]))]
        usual = max(Counter(digest for _, digest in asked).items(), key=lambda each: each[1], default=("", 0))[0]
        first = next((row.name for row, digest in asked if digest == usual), "")
        for row, digest in asked:
            if digest != usual:
                found[row.sources, label] = f"other questions than those of {printable(first)}"
    return found


def _digest(result: StoredResult) -> str:
    """Of the questions, where anybody's benchmark was asked whole; else ""."""
    if result.run is None or result.content.limited:
        return ""
    record = RunFolder(result.run).task(result.content.task).read_task()
    return record.data_sha256 if record.table or record.code else ""


def told_apart(cell: Cell | None, row: Measured, remarks: Remarks) -> Cell | None:
    """A cell with its footnote, which is then ranked with no other."""
    remark = remarks.get((row.sources, cell.protocol)) if cell else None
    return replace(cell, remarks=(*cell.remarks, remark), ranked=False) if cell and remark else cell
