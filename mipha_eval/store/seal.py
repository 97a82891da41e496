"""``seal.json``: by which it is seen that a task's result is still that of what it was made of."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from mipha_eval.core.atomic import write_json
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_object, read_regular, why
from mipha_eval.core.record import Text, checked, record_json

SEALED = ("scores.jsonl", "result.json")


class Seal(Struct, frozen=True):
    """Digests of what decided a result, and of the files that it was written to.

    Attributes:
        inputs: of questions, answers, verdicts and scoring code, see `scored_before.inputs_digest`.
        scores, result: of the bytes of ``scores.jsonl`` and ``result.json``.
    """

    inputs: Text
    scores: Text
    result: Text


def write_seal(folder: Path, inputs: str) -> None:
    """Seals what a task's folder has now. Raises UserError if it cannot be read or written."""
    write_json(folder / "seal.json", record_json(Seal(inputs, *_digests(folder))))


def is_sealed(folder: Path, inputs: str) -> bool:
    """Whether what a task's folder has was made of these inputs, and is as it was written."""
    try:
        found = checked(Seal, read_object(folder / "seal.json"), str(folder))
        return found == Seal(inputs, *_digests(folder))
    except UserError:  # there is none, or a file was removed or damaged: made anew, they are right
        return False


def _digests(folder: Path) -> list[str]:
    return [_digest(folder / name) for name in SEALED]


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(read_regular(path)).hexdigest()
    except OSError as error:
        raise UserError(f"cannot read {path}: {why(error)}") from error
