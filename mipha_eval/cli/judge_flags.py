"""Flags of the verbs that ask a judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.judge.grading import Grading
    from mipha_eval.judge.settings import JudgeChoice

Judge = Annotated[
    Optional[str],
    typer.Option("--judge", help="A model that grades answers: a name that the server knows, or hf:PATH for one here."),
]
BaseUrl = Annotated[
    Optional[str],
    typer.Option(
        "--judge-base-url",
        envvar=["MIPHA_EVAL_JUDGE_URL", "OPENAI_BASE_URL"],
        help="An OpenAI-compatible server, such as http://localhost:8000/v1; none: OpenAI's.",
    ),
]
Runs = Annotated[int, typer.Option("--judge-runs", help="Grades of each answer, of which the mean counts.")]
Concurrency = Annotated[int, typer.Option("--judge-concurrency", help="Queries under way at a time.")]
Timeout = Annotated[float, typer.Option("--judge-timeout", help="Seconds to wait for a whole reply.")]
Tries = Annotated[int, typer.Option("--judge-tries", help="How often a query is sent while the server fails.")]
Budget = Annotated[
    Optional[str], typer.Option("--judge-budget", help="The most to spend, as 500calls, 2e6tokens or 5usd; it stops there.")
]
Price = Annotated[
    Optional[str], typer.Option("--judge-price", help="US dollars for a million tokens of prompts and replies, as IN,OUT.")
]
Correctness = Annotated[
    bool,
    typer.Option("--judge-correctness", help="Also ask, for tasks without a judge of their own: is the answer correct?"),
]
Grades = Annotated[Optional[Path], typer.Option("--grades", help="Recorded grades, a file of MM-Vet's script.")]


@dataclass(frozen=True)
class Limits:
    """How a judge is asked: runs, queries under way at a time, seconds to wait for a reply, and tries."""

    runs: int = 1
    concurrency: int = 16
    timeout: float = 60.0
    tries: int = 6


def choice(
    model: str | None,
    base_url: str | None,
    limits: Limits,
    budget: str | None,
    price: str | None,
    correctness: bool = False,
) -> JudgeChoice | None:
    """The judge that was asked for."""
    from mipha_eval.core.errors import UserError
    from mipha_eval.judge.settings import JudgeChoice, parse_budget, parse_price

    if model is None:
        if budget or price or correctness:
            raise UserError("--judge-budget, --judge-price and --judge-correctness need --judge MODEL")
        return None
    return JudgeChoice(
        model,
        base_url,
        runs=limits.runs,
        concurrency=limits.concurrency,
        timeout=limits.timeout,
        tries=limits.tries,
        budget=parse_budget(budget),
        price=parse_price(price),
        correctness=correctness,
    )


def grading(asked: JudgeChoice | None, grades: Path | None, registry: Registry) -> Grading | None:
    """The judge that was asked for, or recorded grades, ready; None for neither."""
    if asked is None and grades is None:
        return None
    from mipha_eval.judge.grading import begin_grading

    return begin_grading(asked, grades, registry)
