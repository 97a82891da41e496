"""``scores.jsonl``: how each answer was read and what it is worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from mipha_eval.core.atomic import write_lines
from mipha_eval.core.json_value import Json
from mipha_eval.core.types import Score
from mipha_eval.store.rows import AGAIN, RowDecoder

#: names of fields and how to get all their values; dataclasses.asdict would copy every value deeply first
FIELDS = tuple(entry.name for entry in dataclasses.fields(Score))
values_of = attrgetter(*FIELDS)


class StoredScore(Struct, frozen=True):
    """A line of ``scores.jsonl``; see `Score`."""

    sample: str
    value: Annotated[float, Meta(ge=0, le=1.7e308)]
    reading: str
    rule: str
    span: tuple[int, int] | None = None
    parsed: bool = True
    category: str = ""
    group: str = ""
    cluster: str = ""
    tags: tuple[str, ...] = ()
    judged: float | None = None
    details: Mapping[str, Json] = {}


ROWS = RowDecoder(StoredScore, {"parts": "tags"})
values_of_stored = attrgetter(*StoredScore.__struct_fields__)


def read_scores(path: Path) -> list[Score]:
    """The stored scores. Raises UserError if one is damaged."""
    return [Score(*values_of_stored(row)) for row in ROWS.read(path, AGAIN)]


def write_scores(path: Path, scores: Iterable[Score]) -> None:
    write_lines(path, (dict(zip(FIELDS, values_of(score), strict=True)) for score in scores))
