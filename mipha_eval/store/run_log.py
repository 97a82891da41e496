"""A run's ``log.txt``: what the run notes of itself, and what is said through logging while it goes on."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from mipha_eval.core.atomic import errors_naming

if TYPE_CHECKING:
    from logging.handlers import MemoryHandler

logger = logging.getLogger(__name__)

#: the logger of what a run notes of itself
RUN_EVENTS = "mipha_eval.run"


class Lines(logging.Formatter):
    """How messages stand in a file; further lines of one are set in, so that each message begins with its time."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).strip().replace("\n", "\n  ")


class MessageFile(logging.FileHandler):
    """Appends messages to a file. One that has no room any more ends no work; a message says so once, where others stand."""

    _told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # as logging calls it
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._told:
            self._told = True
            logger.warning("cannot write %s: %s; messages are missing there", self.baseFilename, error.strerror)

    def close(self) -> None:
        with suppress(OSError):  # of what was told of before
            super().close()


def file_of_messages(path: Path) -> logging.FileHandler:
    """Appends messages to a file, a line each. Raises UserError if it cannot be written."""
    with errors_naming(path):
        handler = MessageFile(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(Lines("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    return handler


@contextmanager
def early_messages() -> Iterator[MemoryHandler]:
    """Keeps what is said before a run has a folder, for `RunLog.take`."""
    from logging.handlers import MemoryHandler

    kept = MemoryHandler(sys.maxsize, flushLevel=sys.maxsize, flushOnClose=False)
    logging.getLogger().addHandler(kept)
    try:
        yield kept
    finally:
        logging.getLogger().removeHandler(kept)
        kept.close()


class RunLog:
    """While entered, whatever is said through logging is appended to a file, whoever says it, and what is noted here.

    What is noted stands there at any level of logging; where that is not set up, others' messages do from warnings on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: logging.FileHandler | None = None

    def __enter__(self) -> RunLog:
        self._file = file_of_messages(self._path)
        logging.getLogger().addHandler(self._file)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            logging.getLogger().removeHandler(self._file)
            self._file.close()
            self._file = None

    def take(self, early: MemoryHandler) -> None:
        """Appends what was said before, and ends its being kept."""
        logging.getLogger().removeHandler(early)
        early.setTarget(self._file)
        early.flush()

    def note(self, event: str, level: int = logging.INFO) -> None:
        """Notes what happened to the run itself."""
        events = logging.getLogger(RUN_EVENTS)
        if events.isEnabledFor(level):
            events.log(level, "%s", event)
        elif self._file is not None:
            self._file.handle(events.makeRecord(RUN_EVENTS, level, __file__, 0, event, (), None))
