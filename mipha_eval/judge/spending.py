"""What a judge may cost, and what it has cost."""

from __future__ import annotations

from dataclasses import dataclass

from mipha_eval.judge.choice import Budget, Price
from mipha_eval.judge.judge import JudgeStoppedError
from mipha_eval.types import Query, Verdict

#: bytes of text a token, for estimates; English prose has a little more
BYTES_A_TOKEN = 4


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, by its length."""
    return -(-len(text.encode(errors="surrogatepass")) // BYTES_A_TOKEN)


@dataclass
class Spending:
    """Counts calls, tokens and money; what is on its way is reserved by an estimate, so that no budget is overdrawn.

    Attributes:
        usd: as far as prices are known.
        reserved: of tokens and of money, for calls under way.
    """

    budget: Budget
    price: Price | None
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    reserved_tokens: int = 0
    reserved_usd: float = 0.0

    def reserve(self, query: Query) -> tuple[int, float]:
        """Takes up room for a call; returns what `settle` is to be given. Raises JudgeStoppedError where there is none."""
        prompt = estimated_tokens(query.prompt)
        tokens = prompt + query.max_tokens
        usd = self.price.of(prompt, query.max_tokens) if self.price else 0.0
        spent = self.prompt_tokens + self.completion_tokens
        limits = (
            (self.budget.calls, self.calls + 1, "calls"),
            (self.budget.tokens, spent + self.reserved_tokens + tokens, "tokens"),
            (self.budget.usd, self.usd + self.reserved_usd + usd, "usd"),
        )
        for most, wanted, unit in limits:
            if most is not None and wanted > most:
                raise JudgeStoppedError(f"its budget of {most:,g} {unit} is spent; the same command goes on with a new one")
        self.calls += 1
        self.reserved_tokens += tokens
        self.reserved_usd += usd
        return tokens, usd

    def settle(self, reserved: tuple[int, float], verdict: Verdict | None) -> None:
        """Replaces what was reserved by what the call took; None for a call that led to nothing."""
        self.reserved_tokens -= reserved[0]
        self.reserved_usd -= reserved[1]
        if verdict is not None:
            self.prompt_tokens += verdict.prompt_tokens
            self.completion_tokens += verdict.completion_tokens
            if self.price:
                self.usd += self.price.of(verdict.prompt_tokens, verdict.completion_tokens)
