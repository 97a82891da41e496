"""Conversations with a judge, as generators: each yields what it asks and is sent what the judge replied.

The same generator is conducted with a live judge and replayed later from stored verdicts, so scoring again asks nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from mipha_eval.types import Dialogue, Outcome, Query, Verdict


class UnansweredError(Exception):
    """A dialogue cannot go on: a query failed for `reason`, or was never asked, and then `reason` is empty."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason or "not asked")
        self.reason = reason


def replay(dialogue: Dialogue[Outcome], known: Callable[[Query], Verdict | None]) -> Outcome:
    """What a dialogue comes to with known verdicts. Raises UnansweredError where one is missing or failed."""
    try:
        query = next(dialogue)
        while True:
            verdict = known(query)
            if verdict is None or verdict.error:
                raise UnansweredError(verdict.error if verdict else "")
            query = dialogue.send(verdict.text)
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


async def conduct(dialogue: Dialogue[Any], ask: Callable[[Query], Awaitable[Verdict]]) -> Verdict | None:
    """Asks a judge all that a dialogue wants to know; returns the verdict that failed, if one did."""
    try:
        query = next(dialogue)
        while True:
            verdict = await ask(query)
            if verdict.error:
                return verdict
            query = dialogue.send(verdict.text)
    except StopIteration:
        return None
