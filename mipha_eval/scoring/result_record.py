"""What ``result.json`` and ``score --json`` say, as a type."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from mipha_eval.core.controls import Control
from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json
from mipha_eval.core.provenance import Provenance
from mipha_eval.core.record import Count, Finite, Text, checked, record_json
from mipha_eval.scoring.judging.judge_counts import JudgeCounts
from mipha_eval.scoring.probability import BeliefSummary
from mipha_eval.scoring.run_context import RunContext
from mipha_eval.scoring.served_counts import ServedCounts

#: stands behind a task's name where each model was asked as its paper or card asked it
AS_PUBLISHED = ", as published"
#: ways of asking that are a benchmark's own matter, not the model's
WORDS = ("prompt", "format")
HINT = "give a run folder, or a result that was printed as JSON"


class Moves(Struct, frozen=True):
    """How many answers a second reading takes for more than the official rule does, and for less."""

    to_right: Count = 0
    to_wrong: Count = 0


class CheckCounts(Struct, frozen=True):
    """Answers that were made again without sharing.

    Attributes:
        exact: whether they must be the same, as in float32.
    """

    checked: Count
    identical: Count
    exact: bool = False


class Effort(Struct, frozen=True):
    """What answers took.

    Attributes:
        seconds: of all commands of the run together.
        timed: how many answers these seconds went into.
        generated: how many of them the last command made; None where there was none.
    """

    seconds: Finite = 0.0
    timed: Count = 0
    generated: Count | None = None


class KnownNotes(Struct, frozen=True):
    """What tables read of a task's own notes.

    Attributes:
        maximum: metric -> the most it could be, where that is not 100.
    """

    maximum: Mapping[str, int | float] = {}


class ResultRecord(Struct, frozen=True, kw_only=True):
    """A task's numbers and all that stands beside them, in the file's order.

    Attributes:
        n: answers that were scored, or are still to be judged (not those that a judge was asked about and has no grade for).
        unlabelled: answered, but the labels are not public.
        for_server: whether a benchmark's server takes the answers.
        missing: without an answer; `failed`: with an error in place of one.
        unparsed: answered, but nobody could say what; scored by the official rule all the same, but for unreadable grades.
        metrics: by whole name; one without anything to count is not there.
        intervals: at 95 %; `interval_notes` says why a metric has none.
        envelope: the headline with all unparsed answers wrong, and with all of them right.
        lenient: the headline under the task's second reading, if it has one; `lenient_moves`: what that moves.
        wrapped: answers by what they hold that no official rule knows.
        provenance: of metrics that not the task's rule alone made, by whole name.
        failures: why requests failed -> how many.
        odd_labels: what is odd about labels -> of how many.
        rules: answers by the rule that read them.
        expected_rows: how many questions the official files have.
        certificate: see `certificate.certificate_note`.
        notes: what the task itself says beside; they stand in JSON as fields of their own.
        model, total, limited, demo, blind, control, floor, expectation, asked, as_published, differs, settings_left_out: see
            `RunContext`; None where nobody said so, as the fields below.
        left_out, unverified, undecoded: answers of a file to questions that were not asked; that nothing proves to be to
            their question; that are not UTF-8.
        seconds, timed, generated: see `Effort`.
        equivalence: of answers that were made again alone; where a server answered, that were asked for again.
        served: of answers that came from a server, what it says and what they took.
        workers_note: in what the workers that answered differ, such as devices or versions of packages, as a phrase.
    """

    task: Text
    version: int | None = None
    n: Count
    unlabelled: Count = 0
    for_server: bool = False
    missing: Count
    unparsed: Count
    failed: Count
    headline: Text
    metrics: Mapping[str, Finite]
    intervals: Mapping[str, tuple[Finite, Finite]]
    interval_notes: Mapping[str, str] = {}
    interval_method: str = ""
    envelope: tuple[Finite | None, Finite | None] | None = None
    lenient: Finite | None = None
    lenient_moves: Moves | None = None
    wrapped: Mapping[str, Count] = {}
    units: Mapping[str, str] = {}
    provenance: Mapping[str, Provenance] = {}
    probabilities: BeliefSummary | None = None
    failures: Mapping[str, Count] = {}
    odd_labels: Mapping[str, Count] = {}
    rules: Mapping[str, Count]
    judge: JudgeCounts | None = None
    data: str = ""
    annotations: str | None = None
    expected_rows: tuple[Count, ...] = ()
    certificate: str = ""
    notes: Mapping[str, Json] = {}
    model: str | None = None
    left_out: Count | None = None
    unverified: Count | None = None
    undecoded: Count | None = None
    total: Count | None = None
    limited: bool | None = None
    demo: bool | None = None
    blind: bool | None = None
    control: Control | None = None
    floor: bool | None = None
    expectation: Mapping[str, Finite] | None = None
    asked: Mapping[str, str] | None = None
    as_published: bool | None = None
    differs: tuple[str, ...] | None = None
    settings_left_out: Mapping[str, Json] | None = None
    seconds: Finite | None = None
    timed: Count | None = None
    generated: Count | None = None
    equivalence: CheckCounts | None = None
    served: ServedCounts | None = None
    workers_note: str | None = None

    @property
    def maximum(self) -> Mapping[str, int | float]:
        """Metric -> the most it could be, where the task says so."""
        return known_notes(self.notes, f"the notes of {self.task}").maximum

    @property
    def asked_under(self) -> Control | None:
        """The control that the model was asked under; None for none. Older results say it of grey pictures alone."""
        return self.control or ("blind" if self.blind else None)

    @property
    def quantity(self) -> str:
        """What its numbers are comparable with: the task, and whether it was asked as papers ask it, each in its own way."""
        return f"{self.task}{AS_PUBLISHED}" if self.as_published else self.task

    @property
    def reworded(self) -> Mapping[str, str]:
        """Of what was asked otherwise, what the benchmark says itself: its words, where the model's paper has no others."""
        told = {} if self.as_published else self.asked or {}
        return {name: text for name, text in told.items() if name in WORDS}

    @property
    def judged_by(self) -> str:
        """Whose grades or second opinions these are; empty for nobody's."""
        return self.judge.name if self.judge else ""

    def plain(self, name: str) -> str:
        """A metric's name without its provenance."""
        found = self.provenance.get(name)
        return found.metric if found else name

    def of_run(
        self, context: RunContext, effort: Effort, checks: CheckCounts | None, workers_note: str = ""
    ) -> ResultRecord:
        """The same with what a run says beside the numbers."""
        said = {**msgspec.structs.asdict(context), **msgspec.structs.asdict(effort)}
        return msgspec.structs.replace(self, **said, equivalence=checks, workers_note=workers_note or None)


FIELDS = tuple(name for name in ResultRecord.__struct_fields__ if name != "notes")
#: fields that are left out where nobody said so
CONTEXT = ResultRecord.__struct_fields__[ResultRecord.__struct_fields__.index("notes") + 1 :]


def known_notes(notes: Mapping[str, Json], place: str, hint: str = "") -> KnownNotes:
    """Raises UserError if they cannot be read."""
    return checked(KnownNotes, notes, place, hint)


def read_record(content: object, place: str, hint: str = HINT) -> ResultRecord:
    """The record that a JSON object of today's format is. Raises UserError, with the field, if it is damaged."""
    if not isinstance(content, dict):
        raise UserError(f"{place} is damaged: it is no JSON object; {hint}")
    known = {name: value for name, value in content.items() if name in FIELDS}
    notes = {name: value for name, value in content.items() if name not in FIELDS}
    record = checked(ResultRecord, {**known, "notes": notes}, place, hint)
    known_notes(notes, place, hint)
    unknown = record.metrics.keys() - record.units.keys() if record.units else set()
    if unknown or not record.intervals.keys() <= record.metrics.keys():
        raise UserError(f"{place} is damaged: metrics, intervals and units are not about the same")
    return record


def result_json(record: ResultRecord) -> dict[str, Json]:
    """The object that ``result.json`` and ``score --json`` hold."""
    found: dict[str, Json] = {}
    for name, value in record_json(record).items():
        if name == "notes":
            found.update(record.notes)
        elif value is not None or name not in CONTEXT:
            found[name] = value
    return found
