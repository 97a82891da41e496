"""What asking a server costs, and the most that may be spent on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from msgspec import Struct

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_toml
from mipha_eval.core.record import Finite, checked

UNITS = {"calls": "calls", "call": "calls", "tokens": "tokens", "token": "tokens", "usd": "usd"}
AMOUNT = re.compile(r"(?P<dollar>\$?)(?P<number>\d+(\.\d+)?(e\d{1,2})?) ?(?P<unit>[a-z]*)")

#: US dollars for a million tokens, the most that is taken for a price
DEAREST = 1e6


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens of prompts and of replies."""

    prompt: float
    reply: float

    def of(self, prompt_tokens: float, reply_tokens: float) -> float:
        return (self.prompt * prompt_tokens + self.reply * reply_tokens) / 1e6


class ListedPrice(Struct, frozen=True):
    """An entry of ``prices.toml``: US dollars for a million tokens of prompts and of replies."""

    usd: tuple[Finite, Finite]


@dataclass(frozen=True)
class Budget:
    """The most that may be spent; None where there is no limit."""

    calls: float | None = None
    tokens: float | None = None
    usd: float | None = None


@cache
def listed_prices() -> Mapping[str, Price]:
    """Model -> price at OpenAI's own server, as far as they are listed."""
    path = Path(__file__).parent / "prices.toml"
    rows = checked(dict[str, ListedPrice], read_toml(path), str(path))
    return {model: Price(*row.usd) for model, row in rows.items()}


def parse_price(text: str | None, flag: str) -> Price | None:
    """Reads ``IN,OUT``: US dollars for a million tokens of prompts and of replies."""
    if text is None:
        return None
    try:
        prompt, reply = (float(part) for part in text.split(","))
    except ValueError:
        prompt = reply = -1.0
    if not (0 <= prompt <= DEAREST and 0 <= reply <= DEAREST):
        raise UserError(f"price {text}: expected IN,OUT, US dollars for a million tokens, such as 2.5,10", flag=flag)
    return Price(prompt, reply)


def parse_budget(text: str | None, flag: str) -> Budget:
    """Reads ``500 calls``, ``2e6 tokens``, ``5 usd`` or several of these with commas; a bare number means calls."""
    limits: dict[str, float] = {}
    for part in text.split(",") if text is not None else ():
        found = AMOUNT.fullmatch(part.strip().lower())
        unit = found and UNITS.get("usd" if found["dollar"] else found["unit"] or "calls")
        if not found or not unit:
            raise UserError(f"budget {text}: expected calls, tokens or usd, such as 500calls or 5usd", flag=flag)
        limits[unit] = float(found["number"])
    return Budget(**limits)
