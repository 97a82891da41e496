"""What other libraries and programs say, as messages of logging and nothing else."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path


def take_off_terminal(*libraries: str) -> None:
    """Takes away the handlers by which libraries write to standard error; whoever sets logging up hears them.

    To be called after they were imported.
    """
    for name in libraries:
        library = logging.getLogger(name)
        for handler in list(library.handlers):
            if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
                library.removeHandler(handler)
        library.addHandler(logging.NullHandler())
        library.propagate = True


def run_quietly(command: Sequence[str], folder: Path, logger: logging.Logger) -> bytes:
    """What a program writes to standard output; what it writes to standard error goes to `logger`, at debug level. Ctrl-C
    on a terminal does not reach it.

    Raises:
        OSError: it cannot be started.
    """
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, start_new_session=True)  # noqa: S603 - a list, no shell
    log_lines(done.stderr, logger)
    return done.stdout


def log_lines(said: bytes, logger: logging.Logger) -> None:
    """What a program said, a message a line, at debug level."""
    for line in said.decode(errors="replace").splitlines():
        if line.strip():
            logger.debug("%s", line.strip())
