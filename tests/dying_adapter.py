"""A plugin for the tests: answers by a hash of the request, notes everything it was asked, and dies where it is told to."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.types import Request, Response


@dataclass(frozen=True)
class Dying(ModelAdapter):
    """Options: `log`, a file that gets the process and key of every request; `seconds` that a question takes; the key of
    the question that it dies of (`culprit`), and `how`; `path`, a file that it reads when it is loaded.
    """

    name: ClassVar[str] = "dying"

    log: Path
    seconds: float = 0.005
    culprit: str = ""
    how: str = "exit"
    path: str = ""

    def load(self) -> None:
        if self.how == "loading":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.path:
            Path(self.path).read_bytes()

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        with self.log.open("a") as log:
            log.write("".join(f"{os.getpid()} {request.key}\n" for request in batch))
        for request in batch:
            time.sleep(self.seconds)
            if self.culprit == request.key:
                self._die(len(batch))
        digests = [hashlib.sha256(request.key.encode()).digest()[0] for request in batch]
        return [Response(("Yes", "No", "Perhaps")[digest % 3]) for digest in digests]

    def _die(self, questions: int) -> None:
        match self.how:
            case "exit":
                os._exit(3)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                time.sleep(3600)
            case "memory":
                raise MemoryError(f"{questions} questions")
            case "interrupt":
                raise KeyboardInterrupt
