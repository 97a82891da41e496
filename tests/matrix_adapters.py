"""A plugin for the tests: models that end their process, or fail otherwise, and that tell which process they were in."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import psutil

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Request, Response

#: bytes that a model takes
WEIGHTS = 300_000_000


@dataclass(frozen=True)
class Ending(ModelAdapter):
    """Options: `how` it ends, and `after` how many batches; `log`, a file that gets a line a batch."""

    name: ClassVar[str] = "ending"
    reads_images: ClassVar[bool] = False

    how: str = "exit"
    after: int = 0
    log: Path = Path(os.devnull)

    def load(self) -> None:
        match self.how:
            case "user":
                raise UserError("the checkpoint is no checkpoint")
            case "bug":
                raise ZeroDivisionError("nobody thought of this")

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        with self.log.open("a+") as log:
            log.seek(0)
            done = len(log.readlines())
            log.write(f"{' '.join(request.key for request in batch)}\n")
        if done == self.after and self.log != Path(os.devnull) or not self.after:
            self._end()
        return [Response("Yes") for _ in batch]

    def _end(self) -> None:
        match self.how:
            case "exit":
                os._exit(5)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "raise":
                raise LookupError("no answer to this")


@dataclass(frozen=True)
class Heavy(ModelAdapter):
    """Takes memory when it is loaded, and notes its process, what that took before, and which of others are still there.

    Options: `log`, a file that gets a line when it is loaded; `name_`, which tells it from others.
    """

    name: ClassVar[str] = "heavy"
    reads_images: ClassVar[bool] = False

    log: Path
    answer: str = "Yes"

    @cached_property
    def weights(self) -> Any:
        before = psutil.Process().memory_info().rss
        others = [int(line.split()[0]) for line in self.log.read_text().splitlines()] if self.log.exists() else []
        alive = sum(psutil.pid_exists(each) for each in others)
        found = bytearray(os.urandom(1)) * WEIGHTS
        with self.log.open("a") as log:
            log.write(f"{os.getpid()} {before} {psutil.Process().memory_info().rss} {alive} {os.environ.get('CUDA_VISIBLE_DEVICES')}\n")
        return found

    def load(self) -> None:
        _ = self.weights

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        print("a plugin that prints")
        return [Response(self.answer) for _ in batch]
