"""The questions of a task as another process reads them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from mipha_eval.authoring.check_task.recipe import Recipe
from mipha_eval.core.types import Sample
from mipha_eval.data.questions import read_questions

#: what of a question must be the same whenever and wherever it is read
FIELDS = ("id", "prompt", "target", "choices", "images", "question_id", "category", "group", "tags", "question")


def asked(sample: Sample) -> tuple[object, ...]:
    """The fields of a question that must always be the same; pictures by name."""
    return tuple(
        tuple(image.name for image in sample.images) if name == "images" else getattr(sample, name) for name in FIELDS
    )


def rows_of(samples: Iterable[Sample]) -> list[list[str]]:
    """The fields of all questions, each as a short digest."""
    return [[hashlib.blake2b(repr(value).encode(), digest_size=6).hexdigest() for value in asked(each)] for each in samples]


def other_seed() -> dict[str, str]:
    """The environment of a process that orders sets of texts otherwise than this one."""
    return {**os.environ, "PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"}


def main(order: str) -> None:
    """Reads questions as a file says, and writes their rows to the file that it names."""
    wanted = json.loads(Path(order).read_text(encoding="utf-8"))
    rows = rows_of(read_questions(Recipe.from_json(wanted["recipe"]).build()))
    Path(wanted["answer"]).write_text(json.dumps(rows), encoding="utf-8")
