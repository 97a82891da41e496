"""A model's process, as the one that began it sees it."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from typing import IO

import msgspec

from mipha_eval.core.children import Child
from mipha_eval.core.printable import printable
from mipha_eval.engine.progress.screen import show_line
from mipha_eval.runs.matrix.order import Begun, Ended, Event, Order, Progressed, Said, Turn

#: what the process begins with: everything is found where it is found here
BEGIN = (
    "import json, sys; lines = open(0, encoding='utf-8', closefd=False); sys.path[:] = json.loads(lines.readline()); "
    "from mipha_eval.runs.matrix.worker import main; main(lines)"
)
LAST_LINES = 3
#: seconds that a process with nothing to do has for ending
PARTING = 10.0
#: signals that a process ends by -> what that is often a sign of
SIGNS = {signal.SIGKILL: ", as when memory runs out"}

logger = logging.getLogger(__name__)


class ModelProcess:
    """Starts a process for a model. What it says is said here, behind the name of the run that it makes.

    Attributes:
        alive: false once it has ended by itself.
    """

    def __init__(self, order: Order, environment: Mapping[str, str]) -> None:
        self.alive = True
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._label = order.model
        self._process: Child[str] = Child(
            [sys.executable, "-c", BEGIN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            encoding="utf-8",
            errors="replace",
        )
        self._stderr = threading.Thread(target=self._listen, args=(self._process.stderr,), name="model", daemon=True)
        self._stderr.start()
        self._send(json.dumps(sys.path))
        self._send(msgspec.json.encode(order).decode())

    def run(self, turn: Turn, label: str) -> tuple[str | None, Ended]:
        """Has it make a run, and waits for its end.

        Returns:
            The run's folder, None if none was begun, and how it ended.
        """
        self._label, folder = label, None
        self._send(msgspec.json.encode(turn).decode())
        for line in self._process.stdout or ():
            event = msgspec.json.decode(line, type=Event)
            match event:
                case Said():
                    self._say(event)
                case Progressed():
                    show_line(f"{label}: {event.line}")
                case Begun():
                    folder = event.run
                case Ended():
                    return folder, event
        self.alive = False
        return folder, Ended(reason=self._why())

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """Ends it once it has nothing to do."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(PARTING)
        except subprocess.TimeoutExpired:
            self._process.end(signal.SIGKILL)
            self._process.wait()
        self._stderr.join(PARTING)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _send(self, line: str) -> None:
        """A process that has ended takes nothing; it is told when its answer is waited for."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(f"{line}\n")
                self._process.stdin.flush()

    def _say(self, said: Said) -> None:
        there = logging.getLogger(said.logger)
        if there.isEnabledFor(said.level):
            text = f"{self._label}: {said.text}"
            there.handle(there.makeRecord(said.logger, said.level, __file__, 0, text, (), None))

    def _listen(self, output: IO[str] | None) -> None:
        for line in output or ():
            text = printable(line.strip())
            if text:
                self._last.append(text)
                logger.debug("%s: %s", self._label, text)
        if output is not None:
            output.close()

    def _why(self) -> str:
        """Why there is no answer."""
        code = self._process.wait()
        self._stderr.join(PARTING)
        kept = "what was answered is stored"
        if code < 0:
            number = signal.Signals(-code)
            return f"its process was ended by {number.name}{SIGNS.get(number, '')}; {kept}"
        told = f": {'; '.join(self._last)[-300:]}" if self._last else ""
        return f"its process ended by itself with exit code {code}{told}; {kept}"
