"""Published scores as a list, with what each is in our terms and where it was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json
from mipha_eval.core.options import unknown
from mipha_eval.reporting.published import Quote, target_of
from mipha_eval.reporting.terminal import Look, print_table
from mipha_eval.reporting.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("model", "benchmark", "value", "as in the source", "protocol", "source")


def chosen_quotes(quotes: Sequence[Quote], benchmark: str | None, model: str | None) -> list[Quote]:
    """The quotes of a benchmark, by its name or our task's, and of a model; None for all.

    Raises:
        UserError: there is no such benchmark or model; capitals do not matter.
    """
    wanted = _known("benchmark", benchmark, {name for quote in quotes for name in (quote.benchmark, _task(quote)) if name})
    owner = _known("published model", model, {quote.model for quote in quotes})
    return [quote for quote in quotes if wanted in (None, quote.benchmark, _task(quote)) and owner in (None, quote.model)]


def _known(what: str, name: str | None, known: set[str]) -> str | None:
    found = next((each for each in sorted(known) if name is not None and each.casefold() == name.casefold()), None)
    if name is not None and found is None:
        raise UserError(unknown(what, name, known))
    return found


def _task(quote: Quote) -> str:
    target = target_of(quote)
    return target.task.partition("@")[0] if target else ""


def protocol_text(quote: Quote) -> str:
    """What it is in our terms, and why it is not if it is not."""
    target = target_of(quote)
    if target is None:
        return "–"
    judge = f"[{target.judge}]" if target.judge else ""
    name = f"{target.task} {target.metric}{judge}"
    taken = {"same": "", "assumed": "taken for ", "other": "not taken for "}[target.standing]
    return f"{taken}{name}" + (f": {target.why}" if taken else "")


def print_quotes(console: Console, quotes: Sequence[Quote]) -> None:
    """As a table on a terminal."""
    rows = []
    for quote in quotes:
        printed = f"{quote.metric}{f', {quote.split}' if quote.split else ''}"
        cells = (quote.model, quote.benchmark, quote.value, printed, protocol_text(quote), quote.source)
        rows.append([visible(cell) for cell in cells])
    print_table(console, HEADINGS, rows, Look(framed=False, yields={"source": "as in the source"}))


def quote_objects(quotes: Sequence[Quote]) -> list[dict[str, Json]]:
    """For JSON."""
    found = []
    for quote in quotes:
        target = target_of(quote)
        ours = target and {
            "task": target.task,
            "metric": target.metric,
            "standing": target.standing,
            "judge": target.judge,
            "why": target.why,
        }
        known = {key: value for key, value in vars(quote).items() if key != "file"}
        found.append({**known, "file": str(quote.place), "protocol": ours})
    return found
