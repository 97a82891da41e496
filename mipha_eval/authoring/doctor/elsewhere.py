"""What is done in a process of its own: code that may hang, print, crash, or end whatever runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from mipha_eval.core.children import Child
from mipha_eval.core.json_value import Json

#: seconds that a process may take
LONGEST = 10.0

#: imports from the same places as we do, and writes what a function gives into a file, whatever else is printed
CODE = (
    "import importlib, json, sys\n"
    "paths, target, module, function, *given = json.loads(sys.argv[1])\n"
    "sys.path[:] = paths\n"
    "found = getattr(importlib.import_module(module), function)(*given)\n"
    "with open(target, 'w') as file:\n"
    "    json.dump(found, file)\n"
)


class ElsewhereError(Exception):
    """Why there is no result, in a line."""


class SlowError(ElsewhereError):
    """It took too long, and was stopped."""


@dataclass
class Elsewhere:
    """A function of a module in a process that begins at once, beside all else.

    Attributes:
        given: its arguments.
        longest: seconds that it may take.
    """

    module: str
    function: str
    given: tuple[str, ...] = ()
    longest: float = field(default_factory=lambda: LONGEST)
    folder: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.longest
        told = json.dumps([sys.path, str(self._file("result")), self.module, self.function, *self.given])
        nothing = subprocess.DEVNULL
        with self._file("errors").open("wb") as errors:
            command = [sys.executable, "-c", CODE, told]
            self._process: Child[bytes] = Child(command, brief=True, stdin=nothing, stdout=nothing, stderr=errors)

    def _file(self, name: str) -> Path:
        return Path(self.folder.name, name)

    def result(self) -> Json:
        """What the function gives, once. Raises ElsewhereError."""
        with self.folder:
            try:
                code = self._process.wait(max(0.0, self._until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._process.end(signal.SIGKILL)
                self._process.wait()
                raise SlowError(f"took longer than {self.longest:g} s") from None
            if code == 0 and self._file("result").is_file():
                found: Json = json.loads(self._file("result").read_text())
                return found
            said = self._file("errors").read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "")
        raise ElsewhereError(last if code == 1 and last else f"it ended Python with exit code {code}")
