"""Flags that say who answers."""

from __future__ import annotations

import logging
import os
from typing import Annotated, Optional

import typer

from mipha_eval.cli.completion import one_of
from mipha_eval.cluster.settings import TIMEOUT, WorkerSettings, worker_settings
from mipha_eval.core.errors import UserError

#: Ray's own variable for the address of a cluster
VARIABLE = "RAY_ADDRESS"

logger = logging.getLogger(__name__)

Workers = Annotated[
    Optional[str],
    typer.Option(
        "--workers",
        metavar="N|auto",
        autocompletion=one_of("auto"),
        help="Processes that answer, each with a model; auto: one a GPU. With --models alone, models at work at a time.",
    ),
]
Cluster = Annotated[
    Optional[str],
    typer.Option(
        "--cluster",
        autocompletion=one_of("auto"),
        metavar="ADDRESS",
        envvar="RAY_ADDRESS",
        help="A Ray cluster whose nodes answer: HOST:6379, auto.",
    ),
]
Gpus = Annotated[
    Optional[float],
    typer.Option("--gpus-per-worker", min=0, metavar="K", help="GPUs of a worker; for models larger than one."),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--worker-timeout", min=1, metavar="SECONDS", help="A batch may take so long before its worker is replaced."
    ),
]


def settings(
    workers: str | None, cluster: str | None, gpus: float | None, timeout: float, threads: int | None
) -> WorkerSettings | None:
    """Who answers; None for this process. Raises UserError for what cannot be read, or says something of nobody."""
    address = cluster if workers == "1" else cluster_address(cluster)
    found = worker_settings("auto" if workers is None and address is not None else workers)
    if gpus is not None and not (gpus <= 1 or gpus.is_integer()):
        raise UserError(f"{gpus:g} GPUs a worker: expected a part of one, or a whole number", flag="--gpus-per-worker K")
    if address is not None:
        return WorkerSettings(1 if found is None else found.count, address, gpus, timeout, threads)
    if found is None:
        for flag, given in (("--gpus-per-worker", gpus is not None), ("--worker-timeout", timeout != TIMEOUT)):
            if given:
                raise UserError(f"{flag} is about workers, and this process answers alone; ask for some", flag="--workers N")
        return None
    return WorkerSettings(found.count, None, gpus, timeout, threads)


def cluster_address(given: str | None) -> str | None:
    """The address of a Ray cluster: as it was given, else as the environment says; None for none.

    Ray's own variable may also name the place where jobs are handed in, or this machine; neither is a cluster to connect to.
    """
    if given is not None:
        return given
    told = os.environ.get(VARIABLE, "").strip()
    if not told or told == "local" or "://" in told:
        return None
    logger.info("%s says that workers of the Ray cluster at %s answer", VARIABLE, told)
    return told


def models_at_a_time(found: WorkerSettings | None) -> int:
    """How many models of a file are at work at a time: on a cluster one after the other, each on all workers.

    Raises:
        UserError: something is asked of workers, and a model of a file has a process of its own.
    """
    if found is None or found.address is not None:
        return 1
    if found.count is None or found.gpus is not None or found.timeout != TIMEOUT:
        told = "without a cluster each model of a file is asked by one process; say how many at a time, and nothing else"
        raise UserError(told, flag="--workers N")
    return found.count


def refuse_launchers() -> None:
    """Raises UserError in a process that a launcher of several has begun: each would make the whole run."""
    size = os.environ.get("WORLD_SIZE", "")
    if size.isdecimal() and int(size) > 1:
        raise UserError(
            f"this is one of {size} processes of a launcher such as torchrun or accelerate launch, and each would make the "
            f"whole run; start one: mipha-eval run --workers {size}"
        )
