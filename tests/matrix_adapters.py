"""A plugin for the tests: models that end their process or fail otherwise, and one that tells which process it was in."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import psutil

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Request, Response

#: bytes that a model takes
WEIGHTS = 300_000_000


@dataclass(frozen=True)
class Ending(ModelAdapter):
    """Options: `how` it ends; `log`, a file that gets the keys of a batch a line; `after` how many lines it ends, once."""

    name: ClassVar[str] = "ending"
    reads_images: ClassVar[bool] = False

    how: str = "exit"
    log: Path | None = None
    after: int = 0

    def load(self) -> None:
        if self.how == "user":
            raise UserError("the checkpoint is no checkpoint")
        if self.how == "bug":
            raise ZeroDivisionError("nobody thought of this")

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        if self._batches() == self.after:
            self._note(["the end"])
            self._end()
        self._note([request.key for request in batch])
        return [Response("Yes") for _ in batch]

    def _batches(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log and self.log.exists() else 0

    def _note(self, keys: Sequence[str]) -> None:
        if self.log:
            with self.log.open("a") as log:
                log.write(f"{' '.join(keys)}\n")

    def _end(self) -> None:
        if self.how == "exit":
            print("a last word", flush=True)
            os._exit(5)
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise LookupError("no answer to this")


@dataclass(frozen=True)
class Heavy(ModelAdapter):
    """Takes memory when it is loaded. Options: `log`, a file that then gets a line about its process; `answer`."""

    name: ClassVar[str] = "heavy"
    reads_images: ClassVar[bool] = False

    log: Path
    answer: str = "Yes"

    @cached_property
    def weights(self) -> bytes:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        before = psutil.Process().memory_info().rss
        taken = b"\x01" * WEIGHTS
        told = {
            "process": os.getpid(),
            "before": before,
            "after": psutil.Process().memory_info().rss,
            "others": sum(psutil.pid_exists(json.loads(line)["process"]) for line in lines),
            "threads": os.environ.get("OMP_NUM_THREADS"),
            "devices": os.environ.get("CUDA_VISIBLE_DEVICES"),
        }
        with self.log.open("a") as log:
            log.write(f"{json.dumps(told)}\n")
        return taken

    def load(self) -> None:
        _ = self.weights

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        print("what a plugin prints is no event")
        return [Response(self.answer) for _ in batch]
