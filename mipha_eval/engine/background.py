"""Work that goes on beside the model: storing, hashing, scoring."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable
from types import TracebackType

BACKLOG = 2  # what waits is lost when the process is killed
#: seconds that Ctrl-C may go unheard: one that another thread gets, or that comes just before a wait begins, ends no wait
PAUSE = 0.2

# Python's own 5 ms is how long the model's thread would wait, at every operation it starts, for a thread that is busy
SECONDS_BETWEEN_SWITCHES = 0.0001


class BackgroundWorker:
    """Does what is submitted in a thread of its own, in order. The model stays in the main thread.

    Once something failed, nothing further is done, and whoever submits next or finishes gets the failure. Left by an error,
    it finishes what was submitted; left by a KeyboardInterrupt, it stops at once. That is why it is no executor of
    `concurrent.futures`: at its end Python waits for what those have in hand, and scoring may take a minute.
    """

    def __init__(self) -> None:
        self._backlog: queue.Queue[Callable[[], object] | None] = queue.Queue(BACKLOG)
        self._failure: BaseException | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="beside", daemon=True)
        self._interval = sys.getswitchinterval()

    def submit(self, work: Callable[[], object]) -> None:
        """Waits while the backlog is full. Raises what failed before."""
        self._raise_failure()
        self._put(work)
        self._raise_failure()

    def finish(self) -> None:
        """Waits until all is done. Raises what failed."""
        self._end()
        self._raise_failure()

    def __enter__(self) -> BackgroundWorker:
        sys.setswitchinterval(SECONDS_BETWEEN_SWITCHES)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self.finish()
            elif issubclass(kind, Exception):
                self._end()
            else:
                self._stopped = True
        finally:
            sys.setswitchinterval(self._interval)

    def _work(self) -> None:
        while (work := self._backlog.get()) is not None:
            if self._failure is None and not self._stopped:
                try:
                    work()
                except BaseException as error:  # raised where the next work is submitted; the thread must not end silently
                    self._failure = error

    def _end(self) -> None:
        if self._thread.is_alive():
            self._put(None)
        while self._thread.is_alive():
            self._thread.join(PAUSE)

    def _put(self, work: Callable[[], object] | None) -> None:
        while True:
            try:
                self._backlog.put(work, timeout=PAUSE)
            except queue.Full:
                continue
            return

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
