"""Any model behind a server that speaks OpenAI's chat completions: OpenAI's own, vLLM, SGLang, transformers serve."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.printable import printable
from mipha_eval.core.streaming_adapter import StreamingAdapter
from mipha_eval.core.types import Request, Response
from mipha_eval.models.served.address import check_url, key_from
from mipha_eval.models.served.client import Server
from mipha_eval.models.served.local_server import LocalServer
from mipha_eval.models.served.price import Price, listed_prices, parse_budget, parse_price
from mipha_eval.models.served.spending import Spending

if TYPE_CHECKING:
    from mipha_eval.models.served.asking import Asking

KEYS = ("MIPHA_EVAL_API_KEY", "OPENAI_API_KEY")
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
OPENAI = "https://api.openai.com/v1"

#: the least and the most of what a user may ask for
BOUNDS = {"concurrency": (1, 512), "timeout": (0.1, 86_400), "tries": (1, 100), "serve_timeout": (1, 86_400)}
#: bytes of a reply, of which the likeliest tokens of a long answer take a few million
MOST_BYTES = 64_000_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class OpenAIApi(StreamingAdapter):
    """Options: `model` is the name that the server knows, `base_url` its address (none: OpenAI's), or `serve` a command
    with {port} that starts one; `key_env` names the environment variable that holds the key.
    """

    name: ClassVar[str] = "openai-api"
    steady: ClassVar[bool] = False
    ranks: ClassVar[bool] = False
    ways: ClassVar[tuple[str, ...]] = ("system", "detail")
    incidental: ClassVar[frozenset[str]] = frozenset(
        {"base_url", "key_env", "concurrency", "timeout", "tries", "spend", "price", "serve_timeout"}
    )

    model: str
    base_url: str | None = None
    serve: str | None = None
    key_env: str | None = None
    system: str | None = None
    detail: Literal["auto", "low", "high"] | None = None
    seed: int | None = None
    max_image_bytes: int | None = None
    concurrency: int = 16
    timeout: float = 300.0
    tries: int = 6
    spend: str | None = None
    price: str | None = None
    serve_timeout: float = 1800.0

    def __post_init__(self) -> None:
        if not self.model.strip() or not self.model.isprintable():
            raise UserError(f"model {printable(self.model)!r}: expected the name that the server knows", flag="-a model=")
        if self.base_url is not None:
            check_url(self.base_url, "model", KEYS[0], "-a base_url=")
        if self.base_url is not None and self.serve is not None:
            raise UserError("a server is started or is there already; give one of serve and base_url")
        for name, (least, most) in BOUNDS.items():
            if not least <= getattr(self, name) <= most:  # which nan is not, either
                raise UserError(f"{name} {getattr(self, name)!s:.40}: expected {least:,g} to {most:,g}", flag=f"-a {name}=")
        if self.max_image_bytes is not None and self.max_image_bytes < 1:
            raise UserError(f"max_image_bytes {self.max_image_bytes}: expected 1 or more", flag="-a max_image_bytes=")
        _ = self.spending, self.local, self.key

    @cached_property
    def key(self) -> str:
        """From the environment; servers other than OpenAI's may need none."""
        if self.key_env is not None and not VARIABLE.fullmatch(self.key_env):
            # what is typed here by mistake may be the key itself
            raise UserError(
                "key_env takes the name of an environment variable in capitals, and not a key", flag="-a key_env="
            )
        names = KEYS if self.key_env is None else (self.key_env,)
        found = key_from(names)
        if not found and (self.key_env is not None or (self.base_url is None and self.serve is None)):
            raise UserError(
                f"model {self.model} needs a key: set {' or '.join(names)}, or give the address of another server"
            )
        return found

    @cached_property
    def known_price(self) -> Price | None:
        """As given, else as listed for OpenAI's own server."""
        listed = None if self.base_url or self.serve else listed_prices().get(self.model)
        return parse_price(self.price, "-a price=IN,OUT") or listed

    @cached_property
    def spending(self) -> Spending:
        budget = parse_budget(self.spend, "-a spend=")
        if budget.usd is not None and self.known_price is None:
            raise UserError(f"a budget in money needs the price of {self.model}; give it", flag="-a price=IN,OUT")
        return Spending(budget, self.known_price)

    @cached_property
    def local(self) -> LocalServer | None:
        return None if self.serve is None else LocalServer(self.serve, lambda text: self.server(None).safe(text))

    def server(self, base_url: str | None) -> Server:
        return Server("model", self.model, base_url, self.key, self.timeout, self.tries, MOST_BYTES)

    @cached_property
    def asking(self) -> Asking:
        from mipha_eval.models.served.asking import Asking
        from mipha_eval.models.served.chat_form import ChatForm

        server = self.server(self.local.base_url if self.local else self.base_url or OPENAI)
        form = ChatForm(self.system, self.detail, self.seed)
        return Asking(server, form, self.spending, self.concurrency, self.max_image_bytes)

    def stream(self, requests: Sequence[Request], stop: Callable[[], bool]) -> Iterator[tuple[int, Response]]:
        if self.local is None or self.local.start(self.serve_timeout, stop):
            yield from self.asking.stream(requests, stop)

    def reference(self, batch: Sequence[Request]) -> list[Response]:
        """The same once more."""
        return self.generate(batch)

    def describe(self) -> JsonObject:
        return {"model": self.model, "base_url": None if self.serve else (self.base_url or OPENAI).rstrip("/")}

    def about(self) -> dict[str, str | float]:
        return {"llm": self.model}

    def budget(self) -> int:
        """All requests go at once: no device's memory has to hold them."""
        return sys.maxsize

    def close(self) -> None:
        asking: Asking | None = self.__dict__.pop("asking", None)
        if asking is not None:
            asking.close()
            logger.info("model %s: %s", self.model, told(self.spending))
        if self.local is not None:
            self.local.close()


def told(spent: Spending) -> str:
    """What a run took."""
    tokens = f"{spent.calls:,} requests, {spent.prompt_tokens:,} tokens of prompts, {spent.completion_tokens:,} of answers"
    return f"{tokens}, {spent.usd:.4f} USD" if spent.price else tokens
