"""What other libraries and programs say, as messages of logging and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from mipha_eval.core.children import run_program


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
    """What a program writes to standard output; what it writes to standard error goes to `logger`, at debug level.

    Raises:
        OSError: it cannot be started.
        GivenUpError: Ctrl-C was pressed meanwhile.
    """
    done = run_program(command, folder=folder)
    log_lines(done.stderr, logger)
    return done.stdout


def log_lines(said: bytes, logger: logging.Logger) -> None:
    """What a program said, a message a line, at debug level."""
    for line in said.decode(errors="replace").splitlines():
        if line.strip():
            logger.debug("%s", line.strip())
