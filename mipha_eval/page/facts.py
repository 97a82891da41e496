"""What a page shows of a run and of a result, as its scripts get it: JSON with these fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from mipha_eval.reporting.effort import effort
from mipha_eval.reporting.marks import marks
from mipha_eval.reporting.serving import serving_text
from mipha_eval.reporting.summary import judge_line, lenient_text, score_text, wrapped_lines
from mipha_eval.scoring.probability import BeliefSummary
from mipha_eval.scoring.result_record import CheckCounts, ResultRecord


class RunFacts(Struct, frozen=True):
    """A run as a whole.

    Attributes:
        folder: its name.
        size: of the model, in billions of parameters; None if not known.
        made: (what, how): entries of the manifest as texts.
    """

    name: str
    folder: str
    size: float | None
    made: tuple[tuple[str, str], ...]


class MetricFacts(Struct, frozen=True):
    """A metric; `most` is the highest value that it can have, None if not known."""

    name: str
    value: float
    interval: tuple[float, float] | None
    no_interval: str
    unit: str
    most: float | None


class ResultFacts(Struct, frozen=True, kw_only=True, rename={"short_marks": "shortMarks"}):
    """A result; fields as in `ResultRecord`, beside these.

    Attributes:
        score: the headline as it is printed.
        marks, short_marks: what weakens it, in full and without details.
        lenient, wrapped, judges: sentences.
        served: who answered and what it took, where a server did; else empty.
        speed: answers a second.
    """

    headline: str
    score: str
    marks: tuple[str, ...]
    short_marks: tuple[str, ...]
    metrics: tuple[MetricFacts, ...]
    n: int
    missing: int
    failed: int
    unparsed: int
    unlabelled: int
    envelope: tuple[float | None, float | None] | None
    lenient: str
    rules: Mapping[str, int]
    failures: Mapping[str, int]
    probabilities: BeliefSummary | None
    wrapped: tuple[str, ...]
    total: int | None
    equivalence: CheckCounts | None
    certificate: str
    seconds: float | None
    speed: float | None
    judges: tuple[str, ...]
    served: str


def result_facts(result: ResultRecord, others: Sequence[ResultRecord] = ()) -> ResultFacts:
    """What a page shows of a result; `others` are those of further judges."""
    found, (seconds, speed) = marks(result), effort(result)
    return ResultFacts(
        headline=result.headline,
        score=score_text(result, result.headline, result.metrics.get(result.headline)),
        marks=tuple(mark.text for mark in found),
        short_marks=tuple(mark.name for mark in found),
        metrics=_metrics(result),
        n=result.n,
        missing=result.missing,
        failed=result.failed,
        unparsed=result.unparsed,
        unlabelled=result.unlabelled,
        envelope=result.envelope,
        lenient=lenient_text(result),
        rules=result.rules,
        failures=result.failures,
        probabilities=result.probabilities,
        wrapped=tuple(wrapped_lines(result)),
        total=result.total,
        equivalence=None if result.served else result.equivalence,
        certificate=result.certificate,
        seconds=seconds,
        speed=speed,
        judges=tuple(line for each in (result, *others) if (line := _judged(each))),
        served=serving_text(result).removeprefix(" ").removeprefix(": "),
    )


def _metrics(result: ResultRecord) -> tuple[MetricFacts, ...]:
    most = result.maximum
    return tuple(
        MetricFacts(
            name=name,
            value=value,
            interval=result.intervals.get(name),
            no_interval=result.interval_notes.get(name, ""),
            unit=result.units.get(name, ""),
            most={"%": 100, "of 1": 1}.get(result.units.get(name, ""), most.get(name)),
        )
        for name, value in result.metrics.items()
    )


def _judged(result: ResultRecord) -> str:
    """A judge's result in a line; empty without a judge."""
    line, name = judge_line(result), result.headline
    return f"{name} {score_text(result, name, result.metrics.get(name))}; {line}" if line else ""
