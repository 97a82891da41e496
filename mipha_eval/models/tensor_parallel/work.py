"""What the leading process says to the others, and what they say to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import torch
from torch import distributed
from torch.distributed.distributed_c10d import Store

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.types import Request

HOST = "127.0.0.1"

#: how long a process waits for the others within a computation; while nothing is asked none waits
PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True)
class Job:
    """What a process is to be.

    Attributes:
        owner, options: of the adapter.
        port: where the processes find each other.
        threads: that it computes with on a CPU.
    """

    owner: type[ModelAdapter]
    options: Mapping[str, object]
    rank: int
    size: int
    port: int
    threads: int


@dataclass(frozen=True)
class Task:
    """Something that all processes do at once: read an attribute of the adapter or, with a batch, call a method with it."""

    what: str
    batch: Sequence[Request] | None = None


@dataclass(frozen=True)
class Done:
    """It is done; `summary` is what came out, where it was a batch."""

    summary: Sequence[tuple[str, bool]] = ()


@dataclass(frozen=True)
class Failed:
    """It is not; the process ends.

    Attributes:
        memory: whether the device's memory was too small.
    """

    line: str
    memory: bool = False


Reply: TypeAlias = Done | Failed


def join(rank: int, size: int, store: Store) -> None:
    """Makes this process one of those that compute together, on the GPU with its number where there are GPUs."""
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    device = torch.device("cuda", rank) if backend == "nccl" else None
    if device is not None:
        torch.cuda.set_device(device)
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE, device_id=device)


def line_of(error: BaseException) -> str:
    """An error in one line, the same in every process that has it."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
