"""A judge as it is asked for: its name, where it is, how much it may be asked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_toml
from mipha_eval.core.printable import printable
from mipha_eval.core.record import Finite, checked

KEYS = ("MIPHA_EVAL_JUDGE_KEY", "OPENAI_API_KEY")
UNITS = {"calls": "calls", "call": "calls", "tokens": "tokens", "token": "tokens", "usd": "usd"}
AMOUNT = re.compile(r"(?P<dollar>\$?)(?P<number>\d+(\.\d+)?(e\d{1,2})?) ?(?P<unit>[a-z]*)")


#: the least and the most of what a user may ask for
BOUNDS = {"runs": (1, 100), "concurrency": (1, 512), "timeout": (0.1, 86_400), "tries": (1, 100)}

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


@dataclass(frozen=True)
class JudgeChoice:
    """What a user asks for; see ``mipha-eval run --help``.

    Attributes:
        model: a name that the server knows, or ``hf:PATH`` for a model on this machine.
        base_url: of an OpenAI-compatible server; None for OpenAI's.
        runs: grades of each answer, of which the mean counts (MM-Vet's ``num_run``).
        timeout: seconds that a whole reply may take, each time that a query is sent.
        tries: how often a query is sent at most while the server fails.
        correctness: whether tasks without a judge's prompt of their own are judged, too, by yes or no.
    """

    model: str
    base_url: str | None = None
    runs: int = 1
    concurrency: int = 16
    timeout: float = 60.0
    tries: int = 6
    budget: Budget = field(default_factory=Budget)
    price: Price | None = None
    correctness: bool = False

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise UserError("a judge needs the name of a model", flag="--judge")
        if not self.model.isprintable():
            raise UserError(f"judge {printable(self.model)}: the name has characters that cannot be seen")
        for name, (least, most) in BOUNDS.items():
            if not least <= getattr(self, name) <= most:  # which nan is not, either
                given = f"{getattr(self, name)!s:.40}"
                raise UserError(f"{name} {given} of a judge: expected {least:,g} to {most:,g}", flag=f"--judge-{name}")
        if self.base_url is not None:
            _check_url(self.base_url)
        if self.budget.usd is not None and self.prices is None and not self.local:
            raise UserError(f"a budget in money needs the price of {self.model}; give it", flag="--judge-price IN,OUT")

    @property
    def local(self) -> str | None:
        """The path of a model that is loaded in this process."""
        return self.model[3:] if self.model.startswith("hf:") else None

    @property
    def name(self) -> str:
        """What metrics are called by, ``score[NAME]``."""
        return self.model if self.local is None else f"hf:{Path(self.local).name or self.local}"

    @property
    def prices(self) -> Price | None:
        """As given, else as listed in ``prices.toml`` for OpenAI's own server."""
        return self.price or (None if self.base_url or self.local else listed_prices().get(self.model))


def _check_url(text: str) -> None:
    try:
        url = urlsplit(text)
        fine = url.scheme in ("http", "https") and bool(url.hostname)
        _ = url.port
    except ValueError:
        fine = False
    if not fine:
        raise UserError("a judge's address: expected http://HOST:PORT/v1 or the like", flag="--judge-base-url")
    if url.username or url.password or url.query or url.fragment:
        raise UserError(
            f"a judge's address must not hold a key or a query; put the key into {KEYS[0]}", flag="--judge-base-url"
        )


def api_key(choice: JudgeChoice) -> str:
    """The key from the environment, without space around it; servers other than OpenAI's may need none.

    Raises:
        UserError: there is none for OpenAI's server, or no HTTP header can hold it.
    """
    name, found = next(((name, key) for name in KEYS if (key := os.environ.get(name, "").strip())), ("", ""))
    if not (found.isascii() and found.isprintable()):
        raise UserError(f"{name} holds something else than a key: characters that no server is sent; set it anew")
    if not found and choice.base_url is None:
        raise UserError(
            f"judge {choice.model} needs a key: set {KEYS[0]} or {KEYS[1]}, or give the address of another server",
            flag="--judge-base-url",
        )
    return found


@cache
def listed_prices() -> Mapping[str, Price]:
    """Model -> price, as far as they are listed."""
    path = Path(__file__).parent / "prices.toml"
    rows = checked(dict[str, ListedPrice], read_toml(path), str(path))
    return {model: Price(*row.usd) for model, row in rows.items()}


def parse_price(text: str | None) -> Price | None:
    """Reads ``IN,OUT``: US dollars for a million tokens of prompts and of replies."""
    if text is None:
        return None
    try:
        prompt, reply = (float(part) for part in text.split(","))
    except ValueError:
        prompt = reply = -1.0
    if not (0 <= prompt <= DEAREST and 0 <= reply <= DEAREST):
        raise UserError(
            f"price {text}: expected IN,OUT, US dollars for a million tokens, such as 2.5,10", flag="--judge-price"
        )
    return Price(prompt, reply)


def parse_budget(text: str | None) -> Budget:
    """Reads ``500 calls``, ``2e6 tokens``, ``5 usd`` or several of these with commas; a bare number means calls."""
    limits: dict[str, float] = {}
    for part in text.split(",") if text is not None else ():
        found = AMOUNT.fullmatch(part.strip().lower())
        unit = found and UNITS.get("usd" if found["dollar"] else found["unit"] or "calls")
        if not found or not unit:
            raise UserError(f"budget {text}: expected calls, tokens or usd, such as 500calls or 5usd", flag="--judge-budget")
        limits[unit] = float(found["number"])
    return Budget(**limits)
