"""Whether a judge understands what it is asked: a few questions whose answers are known, before anything is at stake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Dialogue, Query, Verdict
from mipha_eval.judge.judge import Judge
from mipha_eval.models.served.stopped import StoppedError
from mipha_eval.scoring.judging.dialogue import UnansweredError, conduct
from mipha_eval.scoring.judging.prompts import grade, is_correct, match_option

COLOURS = {"A": "red", "B": "green", "C": "blue"}
SHADE = "What colour is the car?"

#: (what is checked, the dialogue, what it should come to)
QUESTIONS: tuple[tuple[str, Callable[[], Dialogue[object]], Callable[[object], bool]], ...] = (
    ("grades a right answer high", lambda: grade("What is 2 + 2?", "4", "It is 4."), lambda found: _is_from(0.7, 1, found)),
    ("grades a wrong answer low", lambda: grade("What is 2 + 2?", "4", "It is 7."), lambda found: _is_from(0, 0.3, found)),
    ("finds the option meant", lambda: match_option(SHADE, COLOURS, "like grass, I think"), lambda found: found == "B"),
    ("says when none is meant", lambda: match_option(SHADE, COLOURS, "a bicycle"), lambda found: found == "Z"),
    (
        "accepts other words",
        lambda: is_correct("What animal is it?", ["kitten"], "a young cat"),
        lambda found: found is True,
    ),
    (
        "refuses a wrong answer",
        lambda: is_correct("What animal is it?", ["kitten"], "a truck"),
        lambda found: found is False,
    ),
)


def _is_from(least: float, most: float, found: object) -> bool:
    return isinstance(found, float) and least <= found <= most


@dataclass(frozen=True)
class Check:
    """One question to a judge.

    Attributes:
        readable: whether a reply could be read at all.
        right: whether it was the expected one.
        reply: the judge's last words, or why there are none.
    """

    name: str
    readable: bool
    right: bool
    reply: str


@dataclass(frozen=True)
class ServeCheck:
    """What a judge made of the questions.

    Attributes:
        steady: whether the same query had the same reply twice.
        counts_tokens: whether the server keeps to the longest reply that it was asked for.
        seconds: of a query, on average.
    """

    checks: list[Check]
    steady: bool
    counts_tokens: bool
    seconds: float
    served: str

    @property
    def understood(self) -> bool:
        return self.counts_tokens and all(check.readable and check.right for check in self.checks)


def serve_check(judge: Judge) -> ServeCheck:
    """Asks a judge. Raises UserError if it cannot be asked at all."""
    judge.load()
    try:
        return asyncio.run(_ask_all(judge))
    except StoppedError as error:
        raise UserError(f"judge {judge.name}: {error}") from error


async def _ask_all(judge: Judge) -> ServeCheck:
    known: dict[str, Verdict] = {}

    async def ask(query: Query) -> Verdict:
        known[query.key] = last[0] = await judge.ask(query, "")
        return last[0]

    checks, last = [], [Verdict("")]
    try:
        for name, begin, expected in QUESTIONS:
            try:
                found = await conduct(begin(), ask)
            except UnansweredError as error:
                checks.append(Check(name, False, False, error.reason))
            else:
                readable = found is not None and found != ""
                checks.append(Check(name, readable, readable and expected(found), last[0].text))
        first = next(grade("What is 2 + 2?", "4", "It is 4."))
        again = await judge.ask(first, "")
    finally:
        await judge.close()
    before = known[first.key]
    replies = [verdict for verdict in known.values() if not verdict.error]
    return ServeCheck(
        checks,
        steady=again.text == before.text and not again.error,
        counts_tokens=before.completion_tokens <= first.max_tokens,
        seconds=sum(verdict.seconds for verdict in replies) / max(len(replies), 1),
        served=before.model,
    )
