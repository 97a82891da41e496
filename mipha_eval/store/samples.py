"""``samples.jsonl``: what was asked."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from mipha_eval.core.atomic import write_lines
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import open_text, parse_object
from mipha_eval.core.record import Text, checked, record_json
from mipha_eval.core.types import Image, Sample
from mipha_eval.store.migrations import migrated_samples
from mipha_eval.store.rows import AGAIN, RowDecoder


class StoredImage(Struct, frozen=True):
    """A picture by name and place."""

    name: str
    location: str


class StoredSample(Struct, frozen=True, kw_only=True):
    """A line of ``samples.jsonl``; see `Sample`.

    Attributes:
        request: the key of the request that was made of it (`Request.key`), where that is not the benchmark's own, and a
            digest of what it was made of.
    """

    id: Text
    question_id: str | int | float | bool | None
    prompt: str
    target: tuple[str, ...]
    category: str
    group: str
    tags: tuple[str, ...] = ()
    question: str = ""
    choices: tuple[str, ...] = ()
    images: tuple[StoredImage, ...]
    request: str = ""

    @property
    def asked(self) -> str:
        """The key of what was asked, where that is not what the benchmark asks; "" if the question has changed since."""
        key, _, seal = self.request.partition(" ")
        return key if seal == _seal(self.sample) else ""

    @property
    def sample(self) -> Sample:
        """As a question whose images can no longer be read."""
        return Sample(
            id=self.id,
            prompt=self.prompt,
            target=self.target,
            images=tuple([Image(image.name, image.location, _unread) for image in self.images]),
            question_id=self.question_id,
            category=self.category,
            group=self.group,
            tags=self.tags,
            question=self.question,
            choices=self.choices,
        )


ROWS = RowDecoder(StoredSample, {"references": "target"})


def _unread() -> bytes:
    raise OSError("stored questions have no images")


def read_samples(path: Path) -> list[Sample]:
    """The stored questions. Raises UserError if one is damaged, or there is none."""
    return [stored.sample for stored in read_stored_samples(path)]


def read_stored_samples(path: Path) -> list[StoredSample]:
    """The stored questions with what was asked of them. Raises UserError if one is damaged, or there is none."""
    with open_text(path) as lines:
        texts = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if any(ROWS.is_of_before(line) for _, line in texts):
        found = _read_before(path, texts)
    else:
        found = [ROWS.decode(line, f"{path}:{number}", AGAIN) for number, line in texts]
    if not found:
        raise UserError(f"{path} is damaged: it has no questions; {AGAIN}")
    return found


def _read_before(path: Path, texts: Iterable[tuple[int, str]]) -> list[StoredSample]:
    """Of a file with lines of format 1, which say what they are only all together."""
    places = [(f"{path}:{number}", line) for number, line in texts]
    rows = migrated_samples([parse_object(line, place) for place, line in places])
    return [checked(StoredSample, row, place, AGAIN) for (place, _), row in zip(places, rows, strict=True)]


def write_samples(path: Path, samples: Iterable[Sample], keys: Sequence[str] = ()) -> None:
    """Writes what is asked, for people and viewers; images by name and place.

    Args:
        keys: of the requests that are made of the samples, in their order, where these are not the benchmark's own.
    """
    asked = itertools.chain(keys, itertools.repeat(""))
    write_lines(path, (record_json(_stored(sample, key)) for sample, key in zip(samples, asked, strict=False)))


def _seal(sample: Sample) -> str:
    """Tells whether a question is still the one that a request was made of."""
    parts = (sample.prompt, sample.choices, [image.name for image in sample.images])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _stored(sample: Sample, key: str) -> StoredSample:
    return StoredSample(
        id=sample.id,
        question_id=sample.question_id,  # type: ignore[arg-type]  # whatever it is, JSON must have room for it
        prompt=sample.prompt,
        target=sample.target,
        category=sample.category,
        group=sample.group,
        tags=sample.tags,
        question=sample.question,
        choices=sample.choices,
        images=tuple([StoredImage(image.name, image.location) for image in sample.images]),
        request=f"{key} {_seal(sample)}" if key else "",
    )
