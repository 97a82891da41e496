"""``verdicts.jsonl``: what judges replied, a line a query."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from mipha_eval.core.json_value import Json
from mipha_eval.core.record import record_json
from mipha_eval.core.types import Query, Verdict
from mipha_eval.models.served.completion import MOST_TOKENS
from mipha_eval.scoring.judging.dialogue import CUT
from mipha_eval.store.journal import read_stored
from mipha_eval.store.rows import RowDecoder

Tokens = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class VerdictRow(Struct, frozen=True, kw_only=True):
    """A line: a query, by its digest, and the verdict; see `Query` and `Verdict`.

    Attributes:
        sample: which it was first asked about.
        recorded: whether it belongs to this sample alone.
        finish: None where an earlier version did not write down how the reply ended.
    """

    sample: str
    judge: str
    key: str
    prompt_sha256: str = ""
    max_tokens: int | None = None
    temperature: float = 0.0
    repeat: int = 0
    time: str = ""
    recorded: bool = False
    text: str
    model: str
    prompt_tokens: Tokens
    completion_tokens: Tokens
    seconds: float
    left_out: str
    error: str
    finish: str | None = None

    @property
    def verdict(self) -> Verdict:
        """What earlier versions did not write down is found by counting tokens."""
        finish = self.finish or ""
        if self.finish is None and not self.error:
            cut = self.max_tokens is not None and self.completion_tokens >= self.max_tokens
            finish = CUT if cut else "stop"
        return Verdict(
            text=self.text,
            model=self.model,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            seconds=self.seconds,
            left_out=self.left_out,
            error=self.error,
            finish=finish,
        )


ROWS = RowDecoder(VerdictRow)


def read_rows(path: Path) -> Iterator[VerdictRow]:
    """Damaged lines are left out, with a warning."""
    return read_stored(path, ROWS)


def row_of(query: Query, verdict: Verdict, *, sample: str, judge: str, recorded: bool) -> VerdictRow:
    """A verdict as it is stored now."""
    return VerdictRow(
        sample=sample,
        judge=judge,
        key=query.key,
        prompt_sha256=hashlib.sha256(query.prompt.encode(errors="surrogatepass")).hexdigest(),
        max_tokens=query.max_tokens,
        temperature=query.temperature,
        repeat=query.repeat,
        time=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        recorded=recorded,
        text=verdict.text,
        model=verdict.model,
        prompt_tokens=verdict.prompt_tokens,
        completion_tokens=verdict.completion_tokens,
        seconds=verdict.seconds,
        left_out=verdict.left_out,
        error=verdict.error,
        finish=verdict.finish,
    )


def row_json(row: VerdictRow) -> dict[str, Json]:
    return {name: value for name, value in record_json(row).items() if value or name != "recorded"}
