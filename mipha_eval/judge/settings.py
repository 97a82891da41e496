"""A judge as it is asked for: its name, where it is, how much it may be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.core.errors import UserError
from mipha_eval.core.printable import printable
from mipha_eval.judge.defaults import CONCURRENCY, RUNS, TIMEOUT, TRIES
from mipha_eval.models.served.address import check_url, key_from
from mipha_eval.models.served.price import Budget, Price, listed_prices

KEYS = ("MIPHA_EVAL_JUDGE_KEY", "OPENAI_API_KEY")

#: the least and the most of what a user may ask for
BOUNDS = {"runs": (1, 100), "concurrency": (1, 512), "timeout": (0.1, 86_400), "tries": (1, 100)}


@dataclass(frozen=True)
class JudgeChoice:
    """What a user asks for; see ``mipha-eval run --help``.

    Attributes:
        model: a name that the server knows, or ``hf:PATH`` for a model on this machine.
        base_url: of an OpenAI-compatible server; None for OpenAI's.
        runs: grades of each answer, of which the mean counts (MM-Vet's ``num_run``).
        timeout: seconds that a whole reply may take, each time that a query is sent.
        tries: how often a query is sent at most while the server fails.
        workers: processes that a model at a path answers in; None for this one.
        correctness: whether tasks without a judge's prompt of their own are judged, too, by yes or no.
    """

    model: str
    base_url: str | None = None
    runs: int = RUNS
    concurrency: int = CONCURRENCY
    timeout: float = TIMEOUT
    tries: int = TRIES
    budget: Budget = field(default_factory=Budget)
    price: Price | None = None
    correctness: bool = False
    workers: WorkerSettings | None = None

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise UserError("a judge needs the name of a model", flag="--judge")
        if not self.model.isprintable():
            raise UserError(f"judge {printable(self.model)}: the name has characters that cannot be seen")
        if self.workers is not None and self.local is None:
            told = f"judge {self.model} is asked at a server, which has many queries under way; workers are for hf:PATH"
            raise UserError(told, flag="--judge-concurrency N")
        for name, (least, most) in BOUNDS.items():
            if not least <= getattr(self, name) <= most:  # which nan is not, either
                given = f"{getattr(self, name)!s:.40}"
                raise UserError(f"{name} {given} of a judge: expected {least:,g} to {most:,g}", flag=f"--judge-{name}")
        if self.base_url is not None:
            check_url(self.base_url, "judge", KEYS[0], "--judge-base-url")
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


def api_key(choice: JudgeChoice) -> str:
    """The key from the environment, without space around it; servers other than OpenAI's may need none.

    Raises:
        UserError: there is none for OpenAI's server, or no HTTP header can hold it.
    """
    found = key_from(KEYS)
    if not found and choice.base_url is None:
        raise UserError(
            f"judge {choice.model} needs a key: set {KEYS[0]} or {KEYS[1]}, or give the address of another server",
            flag="--judge-base-url",
        )
    return found
