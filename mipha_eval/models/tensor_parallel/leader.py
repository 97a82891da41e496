"""The process that is asked: it starts the others, says what is done, and computes its own share of it."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import IO, TypeVar, cast

import torch
from torch import distributed
from torch._C._distributed_c10d import TCPStore

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.children import Child
from mipha_eval.core.errors import DeviceMemoryError, UserError
from mipha_eval.core.printable import printable
from mipha_eval.core.types import Request, Response
from mipha_eval.models.tensor_parallel import follower
from mipha_eval.models.tensor_parallel.travelling import summary, travelling
from mipha_eval.models.tensor_parallel.work import HOST, Done, Failed, Job, Reply, Task, join, line_of

logger = logging.getLogger(__name__)

Made = TypeVar("Made")

#: seconds that others have for saying why they failed, where this process failed too, and for ending
PARTING = 5.0

LAST_LINES = 5

AGAIN = "the same command goes on from what is stored"


class Leader:
    """Processes that compute together with this one, as long as it lives.

    Whatever fails in one of them is an error here, after which all are to be closed: what the others have still to send to
    each other would be taken for something else.
    """

    def __init__(self, adapter: ModelAdapter, size: int) -> None:
        self._adapter, self._size = adapter, size
        self._others: list[Other] = []
        self._inside = False

    @property
    def inside(self) -> bool:
        return self._inside

    def together(self, what: str, own: Callable[[], Made], batch: Sequence[Request] | None) -> Made:
        """Has all do something; see `GenericAdapter.together`. Raises UserError, DeviceMemoryError and what `own` raises."""
        if not self._others:
            self._start()
        task = Task(what, None if batch is None else travelling(batch))
        self._inside = True
        try:
            for other in self._others:
                other.say(task)
            made = own()
        except Exception as error:
            raise self._reason(error) from error
        finally:
            self._inside = False
        wanted = summary(_responses(made)) if batch is not None else []
        for other in self._others:
            reply = other.reply()
            if isinstance(reply, Failed):
                raise self._failure(other, reply)
            if list(reply.summary) != wanted:
                raise UserError(f"{self._named(other)} came to other answers than this one; {AGAIN}")
        return made

    def close(self) -> None:
        """Ends the others."""
        others, self._others = self._others, []
        for other in others:
            other.close()
        if others and distributed.is_initialized():
            # NCCL's own end would wait for what is still to come from the others
            end = distributed.distributed_c10d._abort_process_group if _is_nccl() else distributed.destroy_process_group
            end()

    def _start(self) -> None:
        if distributed.is_initialized():
            raise UserError("this process computes together with others already; it can hold one model with tp at a time")
        store = TCPStore(HOST, 0, self._size, is_master=True, wait_for_workers=False)
        fields = dataclasses.fields(self._adapter)
        options = {field.name: getattr(self._adapter, field.name) for field in fields}
        logger.info("starting %d processes that compute together", self._size - 1)
        for rank in range(1, self._size):
            job = Job(type(self._adapter), options, rank, self._size, store.port, torch.get_num_threads())
            self._others.append(Other(job, self._on_end))
        for other in self._others:
            reply = other.reply()
            if isinstance(reply, Failed):
                raise self._failure(other, reply)
        join(0, self._size, store)

    def _on_end(self) -> None:
        """Lets this process go on where it waits for one that is gone; on a CPU that shows by itself."""
        if self._inside and distributed.is_initialized() and _is_nccl():
            distributed.distributed_c10d._abort_process_group()

    def _reason(self, error: Exception) -> Exception:
        """What is to be raised for an error here: often it is only that another process failed."""
        for other in self._others:
            reply = other.reply(PARTING)
            if isinstance(reply, Failed) and reply.line != line_of(error):
                return self._failure(other, reply)
        return error

    def _failure(self, other: Other, reply: Failed) -> Exception:
        if reply.memory:
            return DeviceMemoryError(reply.line)
        return UserError(f"{self._named(other)} failed: {reply.line}; {AGAIN}")

    def _named(self, other: Other) -> str:
        return f"process {other.rank + 1} of the {self._size} that compute together (tp={self._size})"


class Other:
    """One of the processes."""

    def __init__(self, job: Job, on_end: Callable[[], None]) -> None:
        self.rank = job.rank
        self._on_end = on_end
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        link, their_link = socket.socketpair()
        self._life, their_life = socket.socketpair()
        self._link: Connection[Job | Task, Reply] = Connection(link.detach())
        with their_link, their_life:
            theirs = their_link.fileno(), their_life.fileno()
            self._process: Child[bytes] = Child(
                [sys.executable, "-m", follower.__name__, *map(str, theirs)],
                pass_fds=theirs,
                env={**os.environ, "LOCAL_RANK": str(job.rank), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        for name, work in (("follower", self._listen), ("follower's end", self._watch)):
            threading.Thread(target=work, name=name, daemon=True).start()
        self.say(job)

    def say(self, what: Job | Task) -> None:
        """Sends it; that nobody is there shows in the reply."""
        with contextlib.suppress(OSError):
            self._link.send(what)

    def reply(self, seconds: float | None = None) -> Reply:
        """What it says, waited for; that it is gone, if it is."""
        try:
            return self._link.recv() if self._link.poll(seconds) else Done()
        except (EOFError, OSError):
            return Failed(self._ended())

    def close(self) -> None:
        """Ends it."""
        self._link.close()
        self._life.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(PARTING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._life.close()

    def _ended(self) -> str:
        """How it ended, with its last words."""
        try:
            code = self._process.wait(PARTING)
        except subprocess.TimeoutExpired:
            return "it says nothing more"
        how = f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with {code}"
        return "; ".join([how, *self._last])[:300]

    def _watch(self) -> None:
        with contextlib.suppress(OSError):
            while self._life.recv(1):
                pass
        self._on_end()

    def _listen(self) -> None:
        with cast(IO[bytes], self._process.stdout) as output:
            for line in output:
                text = printable(line.decode(errors="replace").strip())
                if text:
                    self._last.append(text)
                    logger.debug("process %d: %s", self.rank + 1, text)


def _is_nccl() -> bool:
    return bool(distributed.get_backend() == "nccl")


def _responses(made: object) -> Sequence[Response]:
    return made if isinstance(made, list) else []
