"""What is read again of how a judge describes itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from mipha_eval.core.json_value import Json
from mipha_eval.core.record import Finite, checked


class JudgeNotes(Struct, frozen=True):
    """Facts from the notes on a judge, which hold more: an entry of ``judges.json``, ``judge.notes`` of a result.

    Attributes:
        model, weights: what was asked, as its `describe` has it.
        recorded: the file whose grades are replayed; None for a judge that is asked.
        prompts: a digest of what judges are asked here.
        base_url: of its server; None for one in this process.
        runs: grades of each answer.
        correctness: whether it gave second opinions on tasks of any kind.
        usd_per_million_tokens: of prompts and of replies.
    """

    model: Json = None
    weights: Json = None
    recorded: str | None = None
    prompts: str | None = None
    base_url: str | None = None
    runs: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    correctness: bool | None = None
    usd_per_million_tokens: tuple[Finite, Finite] | None = None


def judge_notes(said: Mapping[str, Json], place: str = "what is noted of the judge") -> JudgeNotes:
    """Raises UserError if they are damaged."""
    return checked(JudgeNotes, said, place)
