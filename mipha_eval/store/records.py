"""What a run stores, as types: every file of a run folder is checked against them when it is read.

Fields that runs of 0.1.0 did not write yet have defaults. Fields that are not named here are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Image, Sample, Score
from mipha_eval.store.migrations import SCORE, migrated_samples, renamed

Record = TypeVar("Record")

#: a number, and not a NaN
Finite = Annotated[float, Meta(ge=-1.7e308, le=1.7e308)]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Text = Annotated[str, Meta(min_length=1)]


class TypedModel(Struct):
    """The model as it was typed: ``key=value`` texts."""

    options: list[str] = []


class TypedRun(Struct):
    """What was typed, as far as anything reads it again."""

    model: TypedModel = msgspec.field(default_factory=TypedModel)


class Manifest(Struct):
    """``manifest.json``: what decides the answers of a run, and what it was made with."""

    model: Text
    data: Text
    identity: str = ""
    schema: int = 0
    options: dict[str, str] = {}
    task_options: dict[str, str] = {}
    weights: dict[str, Any] = {}
    about: dict[str, Any] = {}
    config: TypedRun = msgspec.field(default_factory=TypedRun)
    annotations: str | None = None
    image_dirs: dict[str, str] = {}
    blind: bool = False


class TaskStatus(Struct):
    """An entry of ``status.json``."""

    state: Text


class RunContext(Struct):
    """What a result says of the model and the data beside its numbers."""

    model: str
    total: Count
    limited: bool
    demo: bool
    blind: bool
    annotations: str | None = None


class TaskRecord(Struct):
    """``task.json``: what is needed to build a task again and to know its data."""

    name: Text
    protocol: Text
    version: int
    options: dict[str, str | None]
    data_sha256: str
    run_context: RunContext | None = None
    probabilities: bool = False


class StoredImage(Struct):
    """A picture by name and place."""

    name: str
    location: str


class StoredSample(Struct):
    """A line of ``samples.jsonl``."""

    id: Text
    prompt: str
    target: list[str]
    images: list[StoredImage]
    question_id: str | int | float | bool | None
    category: str
    group: str
    tags: list[str] = []
    question: str = ""
    choices: list[str] = []


class ResponseNumbers(Struct):
    """What a line of ``responses.jsonl`` says in numbers."""

    tokens: Count = 0
    finish: str = ""
    verbatim: bool = False
    likelihoods: list[float] = []
    option_tokens: list[Annotated[int, Meta(ge=1)]] = []
    top: list[tuple[int, float]] = []
    probabilities: list[float] = []


class Check(Struct):
    """An entry of ``equivalence.json``: an answer that was made again alone."""

    task: Text
    sample: Text
    identical: bool
    shared: str = ""
    reference: str = ""
    error: str = ""
    note: str = ""
    likelihood_difference: float | None = None
    logit_difference: float | None = None


class Checks(Struct):
    """``equivalence.json``."""

    samples: list[Check]


class Checked(Struct):
    """What a result says of answers that were made again alone."""

    checked: Count
    identical: Count
    exact: bool = False


class Calibration(Struct):
    """How well a judge agrees with a trusted one."""

    judge: str
    notes: dict[str, Any] = {}


class JudgeNotes(Struct):
    """An entry of ``judges.json``: how a judge was asked."""

    base_url: str | None = None
    runs: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    correctness: bool | None = None


class JudgeCounts(Struct):
    """What a result says of its judge."""

    name: Text
    pending: Count
    failed: Count
    unreadable: Count
    own_prompt: bool = False
    runs: Count = 1
    failures: dict[str, Count] = {}
    replies: Count = 0
    failed_queries: Count = 0
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    seconds: Finite = 0.0
    left_out: list[str] = []
    served: list[str] = []
    served_as_another: list[str] = []
    remarks: dict[str, Count] = {}
    notes: dict[str, Any] = {}
    calibration: dict[str, Any] | None = None


class Beliefs(Struct):
    """How probable a model held the possible answers."""

    n: Count
    accuracy: Finite
    auc: Finite | None
    calibration_error: Finite
    brier: Finite
    mass: Finite
    bins: list[tuple[Count, Finite, Finite]]


class MadeBy(Struct):
    """By whom or by what a metric was made, see `provenance.Provenance`."""

    metric: str
    by: str
    name: str


class StoredResult(Struct):
    """``result.json``, and what ``score --json`` prints; see `scoring.Result`."""

    task: Text
    headline: Text
    n: Count
    missing: Count
    failed: Count
    unparsed: Count
    metrics: dict[str, Finite]
    intervals: dict[str, tuple[Finite, Finite]]
    rules: dict[str, Count]
    units: dict[str, str] = {}
    provenance: dict[str, MadeBy] = {}
    unlabelled: Count = 0
    interval_notes: dict[str, str] = {}
    interval_method: str = ""
    failures: dict[str, Count] = {}
    version: int | None = None
    envelope: tuple[Finite | None, Finite | None] | None = None
    lenient: Finite | None = None
    lenient_moves: dict[str, Count] | None = None
    wrapped: dict[str, Count] = {}
    probabilities: Beliefs | None = None
    judge: JudgeCounts | None = None
    maximum: dict[str, Finite] = {}
    for_server: bool = False
    data: str = ""
    annotations: str | None = None
    expected_rows: list[Count] = []
    certificate: str = ""
    total: Count = 0
    left_out: Count = 0
    unverified: Count = 0
    undecoded: Count = 0
    odd_labels: dict[str, Count] = {}
    limited: bool = False
    demo: bool = False
    blind: bool = False
    seconds: Finite = 0.0
    generated: Count = 0
    timed: Count = 0
    equivalence: Checked | None = None


def checked(kind: type[Record], value: Any, place: str, hint: str = "") -> Record:
    """`value`, as parsed, as a `kind`.

    Raises:
        UserError: a field is missing, or of another type; the message begins with `place` and names the field.
    """
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        reason = str(error).replace("`", "").replace(" - at $", ", at ").replace(", at .", ", field ")
        raise UserError(f"{place} is damaged: {reason}{'; ' + hint if hint else ''}") from error


def samples_of(rows: Iterable[Any], path: Path) -> Iterator[Sample]:
    """Questions as they were stored; their images can no longer be read. Raises UserError if one is damaged."""
    for number, row in enumerate(migrated_samples(list(rows)), start=1):
        stored = checked(StoredSample, row, f"{path}:{number}", "the same run writes it anew")
        yield Sample(
            id=stored.id,
            prompt=stored.prompt,
            target=tuple(stored.target),
            images=tuple(Image(image.name, image.location, _unread) for image in stored.images),
            question_id=stored.question_id,
            category=stored.category,
            group=stored.group,
            tags=tuple(stored.tags),
            question=stored.question,
            choices=tuple(stored.choices),
        )


def scores_of(rows: Iterable[Any], path: Path) -> Iterator[Score]:
    """Scores as they were stored. Raises UserError if one is damaged."""
    for number, row in enumerate(rows, start=1):
        score = checked(Score, renamed(row, SCORE), f"{path}:{number}", "the same run writes it anew")
        if not 0 <= score.value < float("inf"):
            raise UserError(f"{path}:{number} is damaged: value {score.value} is no score; the same run writes it anew")
        yield score


def _unread() -> bytes:
    raise OSError("stored questions have no images")
