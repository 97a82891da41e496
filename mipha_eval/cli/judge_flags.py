"""Flags of the verbs that ask a judge: a field a flag, here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mipha_eval.cli.completion import judges
from mipha_eval.cli.flag_groups import FlagGroup, is_typed
from mipha_eval.core.errors import UserError
from mipha_eval.judge import defaults

if TYPE_CHECKING:
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.judge.grading import Grading
    from mipha_eval.judge.settings import JudgeChoice

Judge = Annotated[
    Optional[str],
    typer.Option(
        "--judge",
        autocompletion=judges,
        help="A model that grades answers: a name that the server knows, or hf:PATH for one here.",
    ),
]
BaseUrl = Annotated[
    Optional[str],
    typer.Option(
        "--judge-base-url",
        envvar=["MIPHA_EVAL_JUDGE_URL", "OPENAI_BASE_URL"],
        help="An OpenAI-compatible server in place of OpenAI's, such as http://localhost:8000/v1.",
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
JudgeWorkers = Annotated[
    Optional[int],
    typer.Option("--judge-workers", min=1, help="Of hf:PATH: processes that answer, here or on the Ray cluster."),
]
Grades = Annotated[Optional[Path], typer.Option("--grades", exists=True, help="Recorded grades, a file of MM-Vet's script.")]


#: flags that say nothing without a judge
OF_JUDGE = ("judge_budget", "judge_price", "judge_correctness", "judge_workers")


@dataclass(frozen=True)
class JudgeFlags(FlagGroup):
    """What a user says of a judge. A flag more is a field here, and its use in `choice`."""

    heading = "Judge"
    rare = frozenset(
        {
            "judge_runs",
            "judge_concurrency",
            "judge_timeout",
            "judge_tries",
            "judge_price",
            "judge_workers",
            "judge_correctness",
        }
    )

    judge: Judge = None
    judge_base_url: BaseUrl = None
    judge_runs: Runs = defaults.RUNS
    judge_concurrency: Concurrency = defaults.CONCURRENCY
    judge_timeout: Timeout = defaults.TIMEOUT
    judge_tries: Tries = defaults.TRIES
    judge_budget: Budget = None
    judge_price: Price = None
    judge_correctness: Correctness = False
    judge_workers: JudgeWorkers = None
    grades: Grades = None

    def choice(self, cluster: str | None = None) -> JudgeChoice | None:
        """The judge that was asked for.

        Args:
            cluster: the address of a Ray cluster for its workers; None for what the environment says.

        Raises:
            UserError: flags need a judge, or cannot be read.
        """
        from mipha_eval.cli.worker_flags import cluster_address
        from mipha_eval.cluster.settings import WorkerSettings
        from mipha_eval.judge.settings import JudgeChoice
        from mipha_eval.models.served.price import parse_budget, parse_price

        if self.judge is None:
            if any(getattr(self, name) and is_typed(name) for name in OF_JUDGE):
                raise UserError("--judge-budget, --judge-price, --judge-correctness and --judge-workers need --judge MODEL")
            return None
        return JudgeChoice(
            self.judge,
            self.judge_base_url,
            runs=self.judge_runs,
            concurrency=self.judge_concurrency,
            timeout=self.judge_timeout,
            tries=self.judge_tries,
            budget=parse_budget(self.judge_budget, "--judge-budget"),
            price=parse_price(self.judge_price, "--judge-price"),
            correctness=self.judge_correctness,
            workers=WorkerSettings(self.judge_workers, cluster_address(cluster)) if self.judge_workers else None,
        )

    def grading(self, registry: Registry, cluster: str | None = None) -> Grading | None:
        """The judge that was asked for, or recorded grades, ready; None for neither."""
        asked = self.choice(cluster)
        if asked is None and self.grades is None:
            return None
        from mipha_eval.judge.grading import begin_grading

        return begin_grading(asked, self.grades, registry)


#: the default of verbs' parameters; what a user says takes its place
NO_JUDGE = JudgeFlags()
