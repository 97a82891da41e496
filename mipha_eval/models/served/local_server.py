"""A server that is started for a run, and stopped with it."""

from __future__ import annotations

import contextlib
import logging
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO

from mipha_eval.core.children import Child
from mipha_eval.core.errors import UserError
from mipha_eval.core.printable import printable

logger = logging.getLogger(__name__)

PORT = "{port}"

#: seconds between looks at a server that starts
PAUSE = 0.2

#: seconds that a guard has for ending a server, more than `guard.PATIENCE`
PARTING = 20.0

LAST_LINES = 5
BUSY = 503  # what a server that still loads its model says


def serve_command(text: str) -> list[str]:
    """A command line as a list, with ``{port}`` in it. Raises UserError if it is none, or its program is not there."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UserError(f"the server's command {text}: {error}", flag="--serve") from error
    if not any(PORT in word for word in words):
        raise UserError(f"the server's command needs {PORT} where its port stands", flag="--serve")
    if shutil.which(words[0]) is None:
        raise UserError(f"the server's program {words[0]} is not there", flag="--serve")
    return words


class LocalServer:
    """Runs a command on a free port of this machine, behind a guard that ends it however this process ends.

    What it writes goes to logging, at debug level, and so into the run's ``log.txt``.
    """

    def __init__(self, command: str, safe: Callable[[str], str]) -> None:
        self._words, self._safe = serve_command(command), safe
        self._process: Child[bytes] | None = None
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._port, self._ready = 0, False

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self, seconds: float, stop: Callable[[], bool]) -> bool:
        """Starts the server, if it does not run, and waits until it answers; false if `stop` ended the waiting.

        Raises:
            UserError: it ended, or did not answer within so many seconds.
        """
        if self._ready:
            return True
        if self._process is None:
            self._port = _free_port()
            words = [word.replace(PORT, str(self._port)) for word in self._words]
            guard = [sys.executable, str(Path(__file__).with_name("guard.py")), *words]
            logger.info("starting %s", self._safe(shlex.join(words)))
            self._process = Child(guard, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            threading.Thread(target=self._listen, args=(self._process.stdout,), name="server", daemon=True).start()
        return self._wait(self._process, time.monotonic(), seconds, stop)

    def close(self) -> None:
        """Ends the server and all that it started."""
        process, self._process, self._ready = self._process, None, False
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(PARTING)
        except subprocess.TimeoutExpired:
            logger.warning("the server did not end within %g s", PARTING)
            process.kill()
            process.wait()

    def _wait(self, process: Child[bytes], began: float, seconds: float, stop: Callable[[], bool]) -> bool:
        while not _answers(f"{self.base_url}/models"):
            if stop():
                return False
            if process.poll() is not None:
                time.sleep(PAUSE)  # its last words are on their way
                told = "; ".join(self._last)[-300:] or "it said nothing"
                raise UserError(f"the server ended with {process.returncode} before it answered: {told}", flag="--serve")
            if time.monotonic() - began > seconds:
                raise UserError(f"the server did not answer within {seconds:g} s", flag="-a serve_timeout=SECONDS")
            time.sleep(PAUSE)
        logger.info("the server answers after %.0f s", time.monotonic() - began)
        self._ready = True
        return True

    def _listen(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                text = printable(self._safe(line.decode(errors="replace").strip()))
                if text:
                    self._last.append(text)
                    logger.debug("server: %s", text)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(url: str) -> bool:
    """Whether a server is ready, whatever it says."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code != BUSY
    except (OSError, ValueError):
        return False
