"""A plugin for the tests: answers slowly by a hash of the request, and notes everything it was asked."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.types import Request, Response


@dataclass(frozen=True)
class Slow(ModelAdapter):
    """Options: `log`, a file that gets the process and key of every request; `seconds` a batch takes."""

    name: ClassVar[str] = "slow"

    log: Path
    seconds: float = 0.02

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        with self.log.open("a") as log:
            log.writelines(f"{os.getpid()} {request.key}\n" for request in batch)
        time.sleep(self.seconds)
        digests = [hashlib.sha256(request.key.encode()).digest()[0] for request in batch]
        return [Response(("Yes", "No", "Perhaps")[digest % 3]) for digest in digests]
