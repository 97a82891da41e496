"""Files for the benchmarks' servers: written in their form and order, and checked before an upload."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mipha_eval.core.atomic import errors_naming
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_json
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.core.task import Task
from mipha_eval.core.upload_task import UploadTask
from mipha_eval.data.questions import read_samples
from mipha_eval.data.rows import entries
from mipha_eval.data.sheet import sheet_bytes, unfit_row
from mipha_eval.data.table import MISSING, read_table
from mipha_eval.scoring.answer_files import read_answers

FORMS = (".json", ".tsv", ".xlsx")


def submit(task: Task, answers: Path, output: Path) -> int:
    """Writes the upload for a server from an answer file, reads it back and compares.

    Returns:
        The number of rows.

    Raises:
        UserError: the benchmark has no server, answers are missing or failed, or the written file is not what it should be.
    """
    if not isinstance(task, UploadTask) or task.protocol not in task.uploads:
        uploads = task.uploads if isinstance(task, UploadTask) else ()
        known = ", ".join(f"{task.name}@{name}" for name in uploads) or "none of this task"
        raise UserError(f"no server takes {task.label}; uploads there are: {known}")
    samples = read_samples(task)
    responses = read_answers(answers, task, samples).responses
    unanswered = [sample for sample in samples if sample.id not in responses or responses[sample.id].error]
    if unanswered:
        raise UserError(
            f"{answers}: {len(unanswered):,} of {len(samples):,} questions have no answer, "
            f"first {unanswered[0].question_id}; a server counts them wrong, so answer them first"
        )
    texts = {sample: response.text for sample, response in responses.items()}
    wanted = [_encodable(row) for row in task.upload_rows(samples, texts)]
    building = output.with_name(f".building-{output.name}")
    try:
        write_upload(building, wanted)
        check_upload(building, wanted)
        building.replace(output)
    finally:
        building.unlink(missing_ok=True)
    return len(wanted)


def write_upload(path: Path, rows: Sequence[JsonObject]) -> None:
    """Writes rows as JSON list, TSV or xlsx, as the file's ending says."""
    if path.suffix not in FORMS:
        raise UserError(f"{path}: an upload ends in {', '.join(FORMS)}")
    with errors_naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            path.write_text(json.dumps(rows), encoding="utf-8")
        elif path.suffix == ".tsv":
            with path.open("w", encoding="utf-8", newline="") as file:
                table = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
                table.writeheader()
                table.writerows(rows)
        else:
            _write_sheet(path, rows)


def _write_sheet(path: Path, rows: Sequence[JsonObject]) -> None:
    number = unfit_row(rows)
    if number is not None:
        raise UserError(f"{path}: row {number} has a text that a sheet cannot hold; give a name that ends in .tsv")
    path.write_bytes(sheet_bytes(rows))


def _encodable(row: JsonObject) -> dict[str, Json]:
    """A row with lone surrogates replaced, which no file can hold."""
    return {name: cell.encode("utf-8", "replace").decode() if isinstance(cell, str) else cell for name, cell in row.items()}


def check_upload(path: Path, wanted: Sequence[JsonObject]) -> None:
    """Reads an upload back. Raises UserError unless ids, order, columns and types are as wanted."""
    found = list(_read_upload(path))
    if len(found) != len(wanted):
        raise UserError(f"{path} has {len(found):,} rows, the server wants {len(wanted):,}")
    for number, (row, want) in enumerate(zip(found, wanted, strict=True), start=1):
        if list(row) != list(want):
            raise UserError(f"{path}: row {number} has {', '.join(row)}, the server wants {', '.join(want)}")
        for name, cell in want.items():
            if _as_read(row[name]) != _as_read(cell):
                raise UserError(f"{path}: row {number} has {name} {row[name]!r:.80}, it should be {cell!r:.80}")
        if path.suffix == ".json" and [type(cell) for cell in row.values()] != [type(cell) for cell in want.values()]:
            raise UserError(f"{path}: row {number} has other types than the server wants")


def _as_read(cell: object) -> str:
    """A cell as text; tables do not tell empty from missing, nor line ends apart."""
    return "" if cell is None or cell in MISSING else str(cell).replace("\r\n", "\n").replace("\r", "\n")


def _read_upload(path: Path) -> Iterable[Mapping[str, object]]:
    if path.suffix == ".json":
        return [row for _, row in entries(path, read_json(path))]
    return list(read_table(path))
