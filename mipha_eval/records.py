"""Questions and scores from the records of a run folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from mipha_eval.types import Image, Sample, Score

FIELDS = tuple(entry.name for entry in dataclasses.fields(Score))


def sample_of(row: Mapping[str, Any]) -> Sample:
    """A question as it was stored; its images can no longer be read. Raises KeyError or TypeError if it is damaged."""
    return Sample(
        id=row["id"],
        question=row["question"],
        references=tuple(row["references"]),
        images=tuple(Image(image["name"], image["location"], _unread) for image in row["images"]),
        question_id=row["question_id"],
        category=row["category"],
        group=row["group"],
        parts=tuple(row.get("parts", ())),
        bare=row.get("bare", ""),
    )


def score_of(row: Mapping[str, Any]) -> Score:
    """A score as it was stored. Raises KeyError or TypeError if it is damaged."""
    known = {name: row[name] for name in FIELDS if name in row}
    return Score(**{**known, "span": row["span"] and tuple(row["span"]), "parts": tuple(row["parts"])})


def _unread() -> bytes:
    raise OSError("stored questions have no images")
