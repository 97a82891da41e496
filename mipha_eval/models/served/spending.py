"""What asking a server may cost, and what it has cost."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mipha_eval.models.served.price import Budget, Price
from mipha_eval.models.served.stopped import StoppedError

#: bytes of text a token, for estimates; English prose has a little more
BYTES_A_TOKEN = 4

#: how much longer than measured a prompt is taken to be while others are under way
MARGIN = 1.25


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, by its length."""
    return -(-len(text.encode(errors="surrogatepass")) // BYTES_A_TOKEN)


@dataclass(frozen=True, eq=False)
class Reserved:
    """Room for one call.

    Attributes:
        estimated: tokens of its prompt by length.
        prompt: tokens of its prompt, by what earlier ones were counted as.
        limit: the longest reply that it asks for.
        likely: tokens of its reply, by the longest so far of this limit.
        most: tokens of its reply at most.
    """

    estimated: int
    prompt: float
    limit: int
    likely: int
    most: int


@dataclass
class Spending:
    """Counts calls, tokens and money, and keeps what is on its way within the budget.

    As long as the budget holds the longest replies that all calls under way may bring, they go side by side, at first no
    more of them than replies have told how this server counts. Near its end they go one after the other, each if what is
    left holds it as measured. So it is overdrawn by a reply that is longer than any before, and no further.

    Attributes:
        usd: as far as prices are known.
    """

    budget: Budget
    price: Price | None
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    _under_way: set[Reserved] = field(default_factory=set, init=False)
    #: replies with counts, and counted tokens of prompts by estimated ones, the highest so far
    _counted: int = field(default=0, init=False)
    _ratio: float = field(default=0.0, init=False)
    #: tokens of the longest reply by the limit that was asked for
    _longest: dict[int, int] = field(default_factory=dict, init=False)
    _settled: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def reserve(self, estimated: int, limit: int, stopped: Callable[[], str]) -> Reserved:
        """Takes up room for a call, and waits for it where others may leave some; returns what `settle` is to be given.

        Args:
            estimated: tokens of the prompt by length.
            limit: the longest reply that is asked for, in tokens.
            stopped: why nothing further is to be asked; empty if it is.

        Raises:
            StoppedError: there is no room, or nothing is to be asked.
        """
        while True:
            if reason := stopped():
                raise StoppedError(reason)
            call = self._measured(estimated, limit)
            if self._fits(call):
                self.calls += 1
                self._under_way.add(call)
                return call
            await self._settled.wait()

    def settle(self, call: Reserved, prompt_tokens: int, completion_tokens: int) -> None:
        """Replaces what was reserved by what the call took; 0 and 0 for a call that led to nothing."""
        self._under_way.discard(call)
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        if self.price:
            self.usd += self.price.of(prompt_tokens, completion_tokens)
        if prompt_tokens:
            self._counted += 1
            self._ratio = max(self._ratio, prompt_tokens / max(call.estimated, 1))
            self._longest[call.limit] = max(self._longest.get(call.limit, 1), completion_tokens)
        self._settled.set()  # whoever waits looks again
        self._settled = asyncio.Event()

    def _measured(self, estimated: int, limit: int) -> Reserved:
        likely = self._longest.get(limit, limit)
        return Reserved(estimated, estimated * (self._ratio or 1.0), limit, likely, max(limit, likely))

    def _fits(self, call: Reserved) -> bool:
        """Whether a call may go now; else it may when others have come to their end. Raises StoppedError if not."""
        if self.budget.calls is not None and self.calls + 1 > self.budget.calls:
            raise _spent(self.budget.calls, "calls", self.calls, 1)
        if not self._under_way:
            for most, unit, spent, wanted in self._limits(call.prompt, call.likely):
                if spent + wanted > most:
                    raise _spent(most, unit, spent, wanted)
            return True
        if self.budget.tokens is None and self.budget.usd is None:
            return True
        if len(self._under_way) >= self._counted:
            return False
        prompts = MARGIN * sum(each.prompt for each in (*self._under_way, call))
        replies = sum(each.most for each in (*self._under_way, call))
        return all(spent + wanted <= most for most, _, spent, wanted in self._limits(prompts, replies))

    def _limits(self, prompt: float, reply: float) -> Iterator[tuple[float, str, float, float]]:
        """(limit, its unit, spent, what these tokens add) for limits of tokens and of money."""
        if self.budget.tokens is not None:
            yield self.budget.tokens, "tokens", self.prompt_tokens + self.completion_tokens, prompt + reply
        if self.budget.usd is not None and self.price is not None:
            yield self.budget.usd, "usd", self.usd, self.price.of(prompt, reply)


def _spent(most: float, unit: str, spent: float, wanted: float) -> StoppedError:
    digits = 4 if unit == "usd" else 0
    wants = f"{wanted:,.{digits}f}" if unit == "usd" else f"{math.ceil(wanted):,}"
    if not spent:
        return StoppedError(f"its budget of {most:,g} {unit} does not hold a single query, which takes about {wants}")
    return StoppedError(
        f"its budget of {most:,g} {unit} is spent: {spent:,.{digits}f} are used, and the next query takes about {wants}; "
        "the same command goes on with a new one"
    )
