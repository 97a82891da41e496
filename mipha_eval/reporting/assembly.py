"""From a definition, stored results and published scores to a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown
from mipha_eval.reporting.ablation import Ablation
from mipha_eval.reporting.contrasts import Contrasts
from mipha_eval.reporting.definition import HEADLINES, SIZE, Definition, SizeGroup
from mipha_eval.reporting.factors import ELSEWHERE, chosen_factors, words
from mipha_eval.reporting.floors import apart, models_and_floors
from mipha_eval.reporting.gains import with_gains
from mipha_eval.reporting.measured import Measured
from mipha_eval.reporting.measured_cell import check_metrics, measured_cell
from mipha_eval.reporting.notes import notes_of
from mipha_eval.reporting.other_questions import Remarks, other_questions, told_apart
from mipha_eval.reporting.published import Quote, find_model
from mipha_eval.reporting.quoted import choose_models, facts_of, published_size, quoted_row, reproductions
from mipha_eval.reporting.ranking import ranked
from mipha_eval.reporting.significance import PairedTests
from mipha_eval.reporting.table import FLOORS, Field, Group, Row, Table

#: facts that are about a row, not fields that a table may show
ABOUT_ROWS = ("published", SIZE)
LARGER, UNKNOWN_SIZE = "larger", "size not known"


@dataclass(frozen=True)
class Published:
    """Which published numbers stand beside the measured ones.

    Attributes:
        models: names, or ``all`` or ``none``; None for those that the table names.
        rank: whether they are ranked where protocol and judge are the same.
    """

    quotes: Sequence[Quote]
    models: Sequence[str] | None = None
    rank: bool = True


def build_table(
    definition: Definition,
    measured: Sequence[Measured],
    published: Published,
    tests: PairedTests,
    by: Sequence[str] | None = None,
) -> Table:
    """The table with its ranks and notes.

    Args:
        by: factors that an ablation groups the rows by.

    Raises:
        UserError: a column's metric, a published model or a factor does not exist, or there is nothing to show.
    """
    check_metrics(measured, definition.columns)
    names = choose_models(definition.published if published.models is None else published.models, published.quotes)
    quoted = [quoted_row(name, definition.columns, published.quotes) for name in names]
    rows = [row for row in quoted if row is not None]
    if not published.rank:
        rows = [_unranked(row) for row in rows]
    others = other_questions(measured)
    rows += [_measured_row(each, definition, published.quotes, others) for each in measured]
    rows = with_gains(rows, tests)
    if not rows:
        raise UserError(f"table {definition.name} has no rows; name a run, or published models", flag="--published")
    if by is not None:
        return _ablation_table(definition, measured, rows, tests, by)
    _check_facts(definition.fields, definition.name, measured)
    groups = ranked(apart(_grouped(rows, definition)), definition.columns, tests.tied)
    table = Table(definition.name, definition.title, definition.fields, definition.columns, groups)
    return replace(table, notes=notes_of(table, tests))


def _ablation_table(
    definition: Definition, measured: Sequence[Measured], rows: Sequence[Row], tests: PairedTests, by: Sequence[str]
) -> Table:
    """The table with its rows grouped by factors, and with the differences between their levels; floors without a level
    stand below.
    """
    facts = [row.fields for row in rows if not row.quoted] or [row.fields for row in rows]
    factors = chosen_factors(by, facts)
    rows, floors = models_and_floors(rows, factors)
    ablation = Ablation.of(factors, rows)
    fields, columns = ablation.kept_fields(definition.fields), definition.columns
    _check_facts([*ablation.fields, *fields], definition.name, measured)
    groups = ranked(ablation.marked(ablation.groups(rows)), columns, tests.tied)
    contrasts = Contrasts.of(groups, columns, ablation, tests)
    title = definition.title if definition.title != HEADLINES else f"Ablation: {' x '.join(map(words, ablation.factors))}"
    below = [Group(FLOORS, tuple(floors))] if floors else []
    kept = (*groups, *ranked(below, columns, tests.tied))
    table = Table(definition.name, title, fields, columns, kept, factors=ablation.fields, contrasts=contrasts.found)
    return replace(table, notes=(*ablation.notes(groups), *notes_of(table, tests), *contrasts.notes))


def _measured_row(measured: Measured, definition: Definition, quotes: Sequence[Quote], others: Remarks) -> Row:
    asked = measured.facts.get("published", "")
    model = find_model(quotes, asked or measured.name)
    if asked and model is None:
        raise UserError(unknown("published model", asked, {quote.model for quote in quotes}))
    facts = {**(facts_of(model, quotes) if model else {}), **measured.facts}
    published = published_size(model, quotes) if model else None
    row = Row(
        name=measured.name,
        fields=facts,
        parameters=published if measured.size is None else measured.size,
        cells=tuple(told_apart(measured_cell(measured, column), measured, others) for column in definition.columns),
        quoted=measured.quoted,
        published_as=model or "",
        own=measured.own,
        remarks=measured.remarks,
        floor=bool(measured.results) and all(result.content.floor for result in measured.results.values()),
        gpu_hours=measured.gpu_hours,
    )
    return replace(row, reproductions=reproductions(row, model, definition.columns, quotes)) if model else row


def _check_facts(fields: Sequence[Field], table: str, measured: Sequence[Measured]) -> None:
    """Raises UserError for a fact that the user gave and the table does not show."""
    keys = [each.key for each in fields]
    shown = {*keys, *ABOUT_ROWS, *(other for key in keys for other in ELSEWHERE.get(key, ()))}
    for row in measured:
        for key in row.given:
            if key not in shown:
                raise UserError(
                    unknown("field of a row", key, [*keys, *ABOUT_ROWS, "name"], f"table {table} has"), flag="--row"
                )


def _unranked(row: Row) -> Row:
    return replace(row, cells=tuple(cell and replace(cell, ranked=False) for cell in row.cells))


def _grouped(rows: Sequence[Row], definition: Definition) -> list[Group]:
    if definition.order == "size":
        rows = sorted(rows, key=lambda row: (row.parameters is None, row.parameters or 0.0, not row.quoted))
    titles = [_group_of(row, definition.groups) for row in rows]
    order = [*(group.title for group in definition.groups), LARGER, UNKNOWN_SIZE, ""]
    groups = [Group(title, tuple(row for row, own in zip(rows, titles, strict=True) if own == title)) for title in order]
    return [group for group in groups if group.rows]


def _group_of(row: Row, groups: Sequence[SizeGroup]) -> str:
    if not groups:
        return ""
    if row.parameters is None:
        return UNKNOWN_SIZE
    return next((group.title for group in groups if row.parameters <= group.up_to), LARGER)
