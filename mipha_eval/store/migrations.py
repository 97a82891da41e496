"""Records of earlier formats as those of today. Format 1 is that of 0.1.0; a run that goes on holds both in one file.

Which format a record has is told by its fields, since lines of both may follow one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mipha_eval.core.alphabet import LETTERS

#: format of run folders that this version writes
FORMAT = 2

Row = Mapping[str, Any]

SAMPLE = {"question": "prompt", "bare": "question", "parts": "tags"}
SCORE = {"parts": "tags"}
RESPONSE = {"chances": "probabilities"}
TASK = {"standing": "run_context"}
RESULT = {"robust": "lenient", "robust_moves": "lenient_moves"}
CHECK = {"alone": "reference"}


def renamed(row: Any, names: Mapping[str, str]) -> Any:
    """A record with fields of format 1 under their names of today; anything else, such as a damaged one, as it is."""
    if not isinstance(row, dict) or names.keys().isdisjoint(row):
        return row
    return {names.get(name, name): value for name, value in row.items()}


def migrated_samples(rows: Sequence[Any]) -> Sequence[Any]:
    """Lines of ``samples.jsonl``. In format 1 ``references`` held, where there are options, the letter and the options."""
    old = [row for row in rows if isinstance(row, dict) and "references" in row]
    lettered = bool(old) and all(map(_is_lettered, old))
    return [_sample(row, lettered=lettered) if isinstance(row, dict) and "references" in row else row for row in rows]


def _is_lettered(row: Row) -> bool:
    """Whether the first reference is the letter of one of the others; true of every line of a task with options."""
    references = row["references"]
    if not isinstance(references, list) or len(references) == 1:
        return False
    return not references or (isinstance(references[0], str) and references[0] in [*LETTERS[: len(references) - 1]])


def _sample(row: Row, *, lettered: bool) -> Row:
    found: dict[str, Any] = renamed(dict(row), SAMPLE)
    references = found.pop("references")
    split = lettered and isinstance(references, list)
    return {**found, "target": references[:1] if split else references, "choices": references[1:] if split else []}
