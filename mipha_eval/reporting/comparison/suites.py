"""Numbers of several suites as a table, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mipha_eval.comparison.suites import OtherReading, SuiteComparison, SuiteRow
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.core.printable import printable
from mipha_eval.reporting.terminal import kept, print_lines, print_table
from mipha_eval.scoring.suite_rules.certificate import certificate_line
from mipha_eval.scoring.suite_rules.number import AnswerReading
from mipha_eval.scoring.suite_rules.suites import OFFICIAL, SUITES

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("suite", "what it prints", "value", "to official", "answers", "read otherwise")
NONE = "-"
FIRST = 3  # readings that are shown of each number
LONGEST = 60  # letters of an answer that is shown


def print_suites(comparison: SuiteComparison, console: Console) -> None:
    """The table, the first readings that differ, and what a reader must know."""
    print_lines(console, [printable(comparison.task)], style="bold")
    print_table(console, HEADINGS, [*map(_cells, comparison.rows), *([name, *[NONE] * 5] for name in comparison.without)])
    for row in comparison.rows:
        if row.readings:
            print_lines(console, [f"{row.suite}, {row.name}, reads otherwise:", *map(_reading_line, row.readings[:FIRST])])
            more = len(row.readings) - FIRST
            print_lines(console, [f"  and {more:,} more, which JSON has"] if more > 0 else [])
    print_lines(console, notes_of(comparison))


def notes_of(comparison: SuiteComparison) -> list[str]:
    """What a reader must know."""
    notes = []
    if comparison.missing:
        notes.append(
            f"{comparison.missing:,} of {comparison.questions:,} questions have no answer; suites' numbers leave them out"
        )
    if comparison.left_out:
        notes.append(f"{comparison.left_out:,} answers to questions that are not asked are left out")
    if comparison.without:
        notes.append(f"{NONE}: no rule here of {' and '.join(comparison.without)} for {printable(comparison.task)}")
    named = {row.suite for row in comparison.rows}
    return [*notes, *(certificate_line(suite) for suite in SUITES.values() if str(suite) in named)]


def _cells(row: SuiteRow) -> list[str]:
    official = row.suite == OFFICIAL
    return [
        row.suite,
        row.name,
        _value(row),
        NONE if official else _difference(row),
        kept(f"{row.answers:,}") + (f" (there {row.rows:,})" if row.rows not in (0, row.answers) else ""),
        NONE if official else _counts(row),
    ]


def _value(row: SuiteRow) -> str:
    if row.value is None:
        return NONE
    if not row.unsure:
        return f"{row.value:.2f}"
    return f"{row.value:.2f} to {row.best:.2f} ({row.otherwise}: {row.unsure:,})"


def _difference(row: SuiteRow) -> str:
    if row.value is None or row.official is None:
        return NONE
    return kept(f"{round(row.value - row.official, 2) + 0.0:+.2f}")  # no -0.00


def _counts(row: SuiteRow) -> str:
    parts = [f"{count:,} {what}" for count, what in ((row.better, "better"), (row.worse, "worse")) if count]
    return f"{len(row.readings):,}" + (f" ({', '.join(parts) or 'none worth more or less'})" if row.readings else "")


def _reading_line(reading: OtherReading) -> str:
    text = printable(reading.text)
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return f'  {printable(reading.sample)} "{shown}": official {_said(reading.official)}, there {_said(reading.suite)}'


def _said(reading: AnswerReading) -> str:
    worth = {0.0: "wrong", 1.0: "right"}.get(reading.worth, f"{reading.worth:.2f}")
    return f"{printable(reading.answer)[:LONGEST] or 'nothing'} ({'unsure' if reading.unsure else worth})"


def suites_json(comparison: SuiteComparison) -> JsonObject:
    """Everything, readings too."""
    return {
        "task": comparison.task,
        "questions": comparison.questions,
        "missing": comparison.missing,
        "left_out": comparison.left_out,
        "rows": [_row_json(row) for row in comparison.rows],
        "without": list(comparison.without),
        "certificates": _certificates(comparison.rows),
    }


def _row_json(row: SuiteRow) -> JsonObject:
    return {
        "suite": row.suite,
        "name": row.name,
        "beside": row.beside,
        "value": row.value,
        "best": row.best,
        "official": row.official,
        "answers": row.answers,
        "rows": row.rows or None,
        "unsure": row.unsure,
        "otherwise": row.otherwise,
        "better": row.better,
        "worse": row.worse,
        "read_otherwise": [
            {
                "sample": each.sample,
                "text": each.text,
                "official": _reading_json(each.official),
                "suite": _reading_json(each.suite),
            }
            for each in row.readings
        ],
    }


def _reading_json(reading: AnswerReading) -> JsonObject:
    return {"answer": reading.answer, "worth": reading.worth, "unsure": reading.unsure}


def _certificates(rows: Sequence[SuiteRow]) -> Json:
    named = {row.suite for row in rows}
    return {suite.name: certificate_line(suite) for suite in SUITES.values() if str(suite) in named}
