"""Rows of published numbers, and how measured ones compare with them."""

from __future__ import annotations

from collections.abc import Sequence

from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown
from mipha_eval.reporting.model_size import billions
from mipha_eval.reporting.published import Candidate, Quote, candidates, find_model
from mipha_eval.reporting.table import Cell, Column, Elsewhere, Origin, Reproduction, Row

#: the remark of a number that not all sources agree on
DISPUTED = "other sources have another number"


def choose_models(asked: Sequence[str], quotes: Sequence[Quote]) -> list[str]:
    """Names of published models; ``all`` stands for every one, ``none`` for none. Raises UserError for an unknown one."""
    known = list(dict.fromkeys(quote.model for quote in quotes))
    if list(asked) == ["none"]:
        return []
    if list(asked) == ["all"]:
        return known
    found = [find_model(quotes, name) for name in asked]
    for name, model in zip(asked, found, strict=True):
        if model is None:
            raise UserError(unknown("published model", name, known))
    return list(dict.fromkeys(model for model in found if model is not None))


def facts_of(model: str, quotes: Sequence[Quote]) -> dict[str, str]:
    """What the published scores say of a model, by field."""
    own = [quote for quote in quotes if quote.model == model]
    names = ("parameters", "llm", "vision", "resolution", "data")
    found = {name: next((text for quote in own if (text := getattr(quote, name))), "") for name in names}
    return {name: text for name, text in found.items() if text}


def quoted_row(model: str, columns: Sequence[Column], quotes: Sequence[Quote]) -> Row | None:
    """A published model's row; None if it has no number in any of the columns."""
    cells = tuple(_cell(candidates(quotes, model, column.labels, column.metric), column) for column in columns)
    if not any(cells):
        return None
    return Row(model, facts_of(model, quotes), published_size(model, quotes), cells, quoted=True)


def published_size(model: str, quotes: Sequence[Quote]) -> float | None:
    """Billions of parameters, as the first record that says so has them."""
    return billions(facts_of(model, quotes).get("parameters"))


def _cell(found: Sequence[Candidate], column: Column) -> Cell | None:
    if not found:
        return None
    quote, target = found[0].quote, found[0].target
    other = target.task != column.task
    elsewhere = _elsewhere(found)
    remarks = [target.task] if other else []
    remarks += [target.why] if target.standing != "same" else []
    return Cell(
        value=quote.number,
        decimals=min(column.decimals, quote.decimals),
        protocol=target.task,
        metric=target.metric,
        origin=Origin(quote.place, f"line {quote.line}", quote.source),
        judge=target.judge,
        quoted=True,
        grey=other or target.standing == "other",
        ranked=not other and target.standing == "same",
        remarks=(*remarks, *([DISPUTED] if elsewhere else [])),
        elsewhere=elsewhere,
    )


def _elsewhere(found: Sequence[Candidate]) -> tuple[Elsewhere, ...]:
    """Other numbers for what the chosen quote is a number of, each with its sources."""
    chosen = found[0]
    others: dict[float, list[Quote]] = {}
    for each in found[1:]:
        decimals = min(chosen.quote.decimals, each.quote.decimals)
        differs = round(each.quote.number, decimals) != round(chosen.quote.number, decimals)
        doubtful = each.target.standing == "other" and chosen.target.standing != "other"
        if differs and not doubtful and each.target.judge == chosen.target.judge:
            others.setdefault(each.quote.number, []).append(each.quote)
    return tuple(Elsewhere(own[0].value, tuple(dict.fromkeys(each.source for each in own))) for own in others.values())


def reproductions(row: Row, model: str, columns: Sequence[Column], quotes: Sequence[Quote]) -> tuple[Reproduction, ...]:
    """A measured row's numbers beside those published of the same model under the same protocol.

    Only numbers without a doubt are compared. Of several published ones the preferred is taken, unless another is equal.
    """
    found = []
    for cell, column in zip(row.cells, columns, strict=True):
        if cell is None or cell.value is None or not cell.ranked:
            continue
        same = [
            each
            for each in candidates(quotes, model, (column.task,), column.metric)
            if each.target.standing == "same" and not cell.tool and (not cell.judge or each.target.judge == cell.judge)
        ]
        compared = [
            Reproduction(column.heading, each.quote.value, f"{cell.value:.{each.quote.decimals}f}", each.quote.source)
            for each in same
        ]
        found += [next((each for each in compared if each.equal), compared[0])] if compared else []
    return tuple(found)
