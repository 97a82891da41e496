"""What a process that evaluates sets for itself, before anything heavy is imported."""

from __future__ import annotations

import atexit
import gc
import os


def set_up_process() -> None:
    """Less looking for cycles, and no second thread for small matrices; for processes that are this package's own."""
    # a benchmark is millions of values without a cycle; looking for cycles as often as by default doubles its time
    gc.set_threshold(200_000, 50, 100)
    # nor need it look through all that torch imported once more at the end, which takes a second
    atexit.register(gc.freeze)
    # numpy multiplies only small matrices here; waiting for a second thread costs more, and much more on a busy machine
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
