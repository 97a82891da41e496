"""Runs a program in a process group of its own, and ends all of the group when whoever started this has gone.

Run as a script. The starter holds the other end of standard input and never writes; however it ends, killed among others,
the end of that input is the sign to stop. A signal ends the group at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

#: seconds that the program has to end by itself
PATIENCE = 10.0


def watch(command: Sequence[str]) -> int:
    """Starts a program, waits until it has ended, and returns its exit code."""
    # none is to remain: what the program starts is of its group, too
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - a list, no shell
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: tell(program, signal.SIGKILL))
    threading.Thread(target=end_with_input, args=(program,), daemon=True).start()
    code = program.wait()
    tell(program, signal.SIGKILL)
    return code


def end_with_input(program: subprocess.Popen[bytes]) -> None:
    """Ends a group once nobody holds the other end of standard input any more."""
    while os.read(sys.stdin.fileno(), 1):  # nothing that Python would hold a lock on at its end
        pass
    end(program)


def end(program: subprocess.Popen[bytes]) -> None:
    """Asks a group to end, and after a while ends it."""
    tell(program, signal.SIGTERM)
    later = threading.Timer(PATIENCE, lambda: tell(program, signal.SIGKILL))
    later.daemon = True
    later.start()


def tell(program: subprocess.Popen[bytes], number: int) -> None:
    """Sends a signal to all of a group, as far as any of it is there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, number)


if __name__ == "__main__":
    sys.exit(watch(sys.argv[1:]))
