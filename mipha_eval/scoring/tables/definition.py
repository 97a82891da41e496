"""What a table of questions is as a benchmark, beside its rows."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from mipha_eval.core.record import Text


class Definition(Struct, frozen=True, kw_only=True):
    """A benchmark without code: enough to build its task again where the table is not at hand.

    Attributes:
        name: the task's.
        protocol: the scorer's name, unless the author gave it one.
        scorer: the rule, see `stock.scorers`.
        about: a line on it.
        pattern: of the prompt, see `Pattern`; empty for the scorer's own.
        format_line: says in which form to answer; None for the scorer's own.
        metrics: those that are shown, the headline first; empty for all of the scorer's.
        max_new_tokens: None for the scorer's.
        options: of the scorer, as texts.
        licence, citation: as of a `Task`.
    """

    name: Text
    protocol: Text
    scorer: Text
    about: str = ""
    pattern: str = ""
    format_line: str | None = None
    metrics: tuple[str, ...] = ()
    max_new_tokens: int | None = None
    options: Mapping[str, str] = {}
    licence: str = ""
    citation: str = ""
