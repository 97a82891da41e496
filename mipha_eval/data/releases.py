"""What official releases hold, as hashes: enough to recognise their files and to name a row that differs."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mipha_eval.core.format_lines import question_core
from mipha_eval.core.types import Sample

RECORDS = Path(__file__).with_name("releases.json")

#: releases with more rows get no marks, so that a row that differs is not named
MOST_MARKED = 20_000
#: first references that are counted, at most; with more kinds of answers a count says little
MOST_LABELS = 30
#: bytes of a mark; two rows at one place of two lists agree by chance once in 65,536 times
MARK = 2


class Row(NamedTuple):
    """A question as it is compared.

    Attributes:
        question: without LLaVA's format line.
        images: names of the images without folder and ending, which other copies of a release change.
    """

    id: str
    question: str
    references: tuple[str, ...]
    images: tuple[str, ...]


@dataclass(frozen=True)
class Release:
    """Hashes of the rows of one release, sorted by id; "" where something is not known or not public.

    Attributes:
        source: which files they are.
        rows: how many.
        ids: SHA-256 of the ids.
        questions: of (id, question).
        labels: of (id, references).
        everything: of (id, question, references, image names).
        counts: how often each first reference occurs, if there are few kinds.
        question_marks: the first two bytes of the SHA-256 of each row's (id, question), in base64.
        label_marks: the same of (id, references).
        first_only: labels are first references alone; the files that were recorded had no options.
    """

    source: str
    rows: int
    ids: str
    questions: str = ""
    labels: str = ""
    everything: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    question_marks: str = ""
    label_marks: str = ""
    first_only: bool = False


def rows_of(samples: Iterable[Sample]) -> list[Row]:
    """Samples as rows, sorted by length of the id and then by id, so that numbers come in their order."""
    rows = [
        Row(
            sample.id,
            question_core(sample.prompt),
            sample.label_texts,
            tuple(PurePosixPath(image.name).stem for image in sample.images),
        )
        for sample in samples
    ]
    return sorted(rows, key=lambda row: (len(row.id), row))


def describe(rows: Sequence[Row], source: str = "", *, first_only: bool = False) -> Release:
    """Hashes rows that `rows_of` sorted.

    Without any question text, questions and with them options and image names are taken for unknown.
    """
    asked = [[row.id, row.question] for row in rows]
    labelled = [[row.id, _references(row, first_only)] for row in rows]
    has_questions = any(row.question for row in rows)
    has_labels = any(row.references for row in rows)
    marked = len(rows) <= MOST_MARKED
    return Release(
        source=source,
        rows=len(rows),
        ids=_digest([row.id for row in rows]),
        questions=_digest(asked) if has_questions else "",
        labels=_digest(labelled) if has_labels else "",
        everything=digest_rows(rows) if has_questions else "",
        counts=label_counts(rows),
        question_marks=_marks(asked) if has_questions and marked else "",
        label_marks=_marks(labelled) if has_labels and marked else "",
        first_only=first_only,
    )


def digest_rows(rows: Sequence[Row]) -> str:
    """The SHA-256 of all that is compared: a JSON list of [id, question, references, image names]."""
    return _digest(rows)


def label_counts(rows: Sequence[Row]) -> dict[str, int]:
    """How often each first reference occurs; nothing where there are many kinds."""
    counts = Counter(row.references[0] for row in rows if row.references)
    return dict(sorted(counts.items())) if len(counts) <= MOST_LABELS else {}


def split_marks(marks: str) -> list[bytes]:
    """Marks as bytes, one a row."""
    data = base64.b64decode(marks)
    return [data[start : start + MARK] for start in range(0, len(data), MARK)]


def read_releases(path: Path = RECORDS) -> dict[str, list[Release]]:
    """``task@protocol`` -> its recorded releases."""
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {label: [Release(**entry) for entry in entries] for label, entries in stored.items()}


def write_release(label: str, release: Release, path: Path = RECORDS) -> None:
    """Adds a release to the records; one of the same source is replaced."""
    records = read_releases(path)
    others = [other for other in records.get(label, ()) if other.source != release.source]
    records[label] = [*others, release]
    stored = {name: [_without_empty(entry) for entry in records[name]] for name in sorted(records)}
    path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def _without_empty(release: Release) -> dict[str, object]:
    return {name: value for name, value in vars(release).items() if value}


def _references(row: Row, first_only: bool) -> tuple[str, ...]:
    return row.references[:1] if first_only else row.references


def _digest(value: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _marks(values: Sequence[object]) -> str:
    marks = (hashlib.sha256(json.dumps(value).encode()).digest()[:MARK] for value in values)
    return base64.b64encode(b"".join(marks)).decode()
