"""``questions.toml`` beside ``questions.jsonl``: what the author says of a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_toml
from mipha_eval.core.options import unknown
from mipha_eval.core.prompt_pattern import Pattern
from mipha_eval.core.record import checked
from mipha_eval.scoring.stock.stock_task import QuestionKind


class Sidecar(Struct, frozen=True, kw_only=True):
    """All of it may be left out.

    Attributes:
        name: the task's; else the file's.
        about: a line on it.
        protocol: a name for this way of asking and scoring; else the scorer's.
        kind, scorer: what the questions ask for, and how answers are scored.
        prompt: a pattern over ``{question}``, ``{stem}``, ``{hint}``, ``{options}`` and ``{format}``, or Jinja.
        format: the line that says how to answer.
        metrics: those that are shown, the headline first.
        max_new_tokens: of an answer.
        licence, citation: as of a `Task`.
        columns: by what they hold.
        options: of the scorer.
    """

    name: str = ""
    about: str = ""
    protocol: str = ""
    kind: Literal["yesno", "choice", "short", "caption", "open"] | None = None
    scorer: str = ""
    prompt: str = ""
    format: str | None = None
    metrics: tuple[str, ...] = ()
    max_new_tokens: Annotated[int, Meta(ge=1)] | None = None
    licence: str = ""
    citation: str = ""
    columns: Mapping[str, str] = {}
    options: Mapping[str, str | int | float | bool] = {}


def read_sidecar(path: Path) -> Sidecar:
    """What a file says; nothing where there is none. Raises UserError for one that cannot be read."""
    if not path.is_file():
        return Sidecar()
    stored = read_toml(path)
    wrong = next((key for key in stored if key not in Sidecar.__struct_fields__), None)
    if wrong is not None:
        raise UserError(f"{path}: {unknown('field', wrong, Sidecar.__struct_fields__)}")
    found = checked(Sidecar, stored, str(path))
    try:
        Pattern(found.prompt).check()
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    if found.prompt and found.kind != "caption" and not Pattern(found.prompt).names & {"question", "stem"}:
        raise UserError(f"{path}: prompt has no {{question}}, so that every question would be the same")
    return found


#: kinds as they may be named
KINDS: tuple[QuestionKind, ...] = ("yesno", "choice", "short", "caption", "open")
