"""Conversations with a judge, as generators: each yields what it asks and is sent what the judge replied.

The same generator is conducted with a live judge and replayed later from stored verdicts, so scoring again asks nobody.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Generic, TypeVar

from mipha_eval.core.plugins.blame import place_in
from mipha_eval.core.printable import printable
from mipha_eval.core.types import Dialogue, Outcome, Query, Verdict

Value = TypeVar("Value")

ENDED = object()

#: queries that a dialogue may ask for each run of grades; the longest of our own asks twelve
MOST_QUERIES = 100

#: how `Verdict.finish` says that a reply was cut at the query's limit
CUT = "length"

#: letters of a reply that stand in the reason why it does not count
SHOWN = 200


class UnansweredError(Exception):
    """A dialogue cannot go on: a query failed for `reason`, or was never asked, and then `reason` is empty."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason or "not asked")
        self.reason = reason


class NoReplyError(UnansweredError):
    """A judge replied, but it does not count. Thrown into the dialogue that asked, and raised by one that gives up.

    Attributes:
        whole: whether it was a complete reply, and only no rule reads it.
    """

    def __init__(self, reason: str, *, whole: bool = False) -> None:
        super().__init__(reason)
        self.whole = whole


class BrokenDialogueError(UnansweredError):
    """A dialogue raised, asked without end, or yielded what is no query: a plugin's slip, or one of ours."""


def quoted(text: str) -> str:
    """The beginning of a reply, for a reason."""
    return f"'{beginning(text)}'"


def beginning(text: str) -> str:
    """The first letters of a text, in one line."""
    return printable(" ".join(text[: 4 * SHOWN].split())[:SHOWN])


def shortcoming(query: Query, verdict: Verdict) -> NoReplyError | None:
    """Why a judge's reply does not count: it is none, was cut too early, or cannot be read; None if it counts."""
    if verdict.error:
        return NoReplyError(verdict.error)
    text, cut = verdict.text, verdict.finish == CUT
    if not text.strip():
        return NoReplyError(f"empty reply, finish_reason {verdict.finish or 'unknown'}")
    if "<think>" in text and "</think>" not in text:
        return NoReplyError(f"nothing but thoughts, finish_reason {verdict.finish or 'unknown'}: {quoted(text)}")
    reads = query.reads
    if not cut if reads is None else _guarded(lambda: reads(text, cut)):
        return None
    if cut:
        return NoReplyError(f"reply cut at {query.max_tokens:,} tokens, finish_reason length: {quoted(text)}")
    return NoReplyError(f"unreadable reply, finish_reason {verdict.finish or 'unknown'}: {quoted(text)}", whole=True)


def first_counted(queries: Sequence[Query]) -> Dialogue[str]:
    """Asks one query after the other until a reply counts, and returns that.

    Raises:
        NoReplyError: none does; it tells of a complete reply if there was one.
    """
    failed = NoReplyError("nothing was asked")
    for place, query in enumerate(queries):
        try:
            return (yield replace(query, again=len(queries) - 1 - place))
        except NoReplyError as error:
            failed = error if error.whole or not failed.whole else failed
    raise failed


def about(sample: str, dialogue: Dialogue[Outcome]) -> Dialogue[Outcome]:
    """A dialogue whose queries say whose answer they are about."""
    try:
        query = next(dialogue)
        while True:
            try:
                reply = yield replace(query, about=sample)
            except NoReplyError as error:
                query = dialogue.throw(error)
            else:
                query = dialogue.send(reply)
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


class Talk(Generic[Outcome]):
    """A dialogue on its way. It is foreign code: whatever it does wrong is a reason why there is no outcome.

    Attributes:
        outcome: what it came to, once `begin` or `hear` has returned None.
    """

    outcome: Outcome

    def __init__(self, dialogue: Dialogue[Outcome], most: int) -> None:
        self._dialogue, self._most, self._asked = dialogue, most, 0

    def begin(self) -> Query | None:
        """The first query, if it asks any. Raises BrokenDialogueError."""
        return self._step(lambda: next(self._dialogue))

    def hear(self, query: Query, verdict: Verdict) -> Query | None:
        """The next query, if there is one. Raises UnansweredError where the dialogue cannot go on."""
        if verdict.error and not verdict.finish:  # nobody replied, and asking in other words would not mend that
            raise UnansweredError(verdict.error)
        lacking = shortcoming(query, verdict)
        if lacking is not None:
            return self._step(lambda: self._dialogue.throw(lacking))
        return self._step(lambda: self._dialogue.send(verdict.text))

    def _step(self, act: Callable[[], object]) -> Query | None:
        query = _guarded(lambda: self._take(act))
        if query is ENDED:
            return None
        if not isinstance(query, Query) or not _askable(query):
            raise BrokenDialogueError(f"its dialogue asked {beginning(repr(query))}, which is no query that can be sent")
        self._asked += 1
        if self._asked > self._most:
            raise BrokenDialogueError(f"its dialogue came to no end within {self._most:,} queries")
        return query

    def _take(self, act: Callable[[], object]) -> object:
        try:
            return act()
        except StopIteration as end:
            self.outcome = end.value
            return ENDED


def _guarded(act: Callable[[], Value]) -> Value:
    """What foreign code returns; whatever it raises names its file and line."""
    try:
        return act()
    except UnansweredError:
        raise
    except (Exception, SystemExit) as error:
        frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
        place = Path(place_in(error) or f"{frame.f_code.co_filename}:{line}").name
        raise BrokenDialogueError(f"its dialogue raised {beginning(repr(error))} at {place}") from error


def _askable(query: Query) -> bool:
    """Whether a query's parts are what a judge can be sent."""
    return (
        isinstance(query.prompt, str)
        and type(query.max_tokens) is int
        and query.max_tokens > 0
        and isinstance(query.temperature, (int, float))
        and math.isfinite(query.temperature)
        and isinstance(query.repeat, int)
    )


def replay(dialogue: Dialogue[Outcome], known: Callable[[Query], Verdict | None], most: int = MOST_QUERIES) -> Outcome:
    """What a dialogue comes to with known verdicts. Raises UnansweredError where one is missing or does not count."""
    talk = Talk(dialogue, most)
    query = talk.begin()
    while query is not None:
        verdict = known(query)
        if verdict is None:
            raise UnansweredError("")
        query = talk.hear(query, verdict)
    return talk.outcome


async def conduct(
    dialogue: Dialogue[Outcome], ask: Callable[[Query], Awaitable[Verdict]], most: int = MOST_QUERIES
) -> Outcome:
    """Asks a judge all that a dialogue wants to know. Raises UnansweredError where it cannot go on."""
    talk = Talk(dialogue, most)
    query = talk.begin()
    while query is not None:
        query = talk.hear(query, await ask(query))
    return talk.outcome
