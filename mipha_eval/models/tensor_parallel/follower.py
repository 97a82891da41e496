"""The program of a process that computes what another one says, a share of every layer: started by `leader.py` alone."""

from __future__ import annotations

import os
import socket
import sys
import threading
from multiprocessing.connection import Connection
from typing import cast

import torch
from torch._C._distributed_c10d import TCPStore

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import DeviceMemoryError
from mipha_eval.core.own_process import set_up_process
from mipha_eval.models.tensor_parallel.group import Alone
from mipha_eval.models.tensor_parallel.travelling import summary
from mipha_eval.models.tensor_parallel.work import HOST, Done, Failed, Job, Reply, Task, join, line_of


def follow(link: Connection) -> None:
    """Does what is said until nobody says anything more, or it fails."""
    job: Job = link.recv()
    torch.set_num_threads(job.threads)
    if torch.cuda.is_available():
        torch.cuda.set_device(job.rank)
    adapter = job.owner(**job.options)
    vars(adapter)["group"] = Alone()
    link.send(Done())
    join(job.rank, job.size, TCPStore(HOST, job.port, job.size, is_master=False))
    while True:
        reply = _do(adapter, link.recv())
        link.send(reply)
        if isinstance(reply, Failed):
            return


def _do(adapter: ModelAdapter, task: Task) -> Reply:
    try:
        found = getattr(adapter, task.what)
        return Done() if task.batch is None else Done(summary(found(task.batch)))
    except DeviceMemoryError as error:
        return Failed(line_of(error), memory=True)
    except Exception as error:  # whatever it is, the leader says it
        return Failed(line_of(error))


def end_with(leader: socket.socket) -> None:
    """Waits until the leading process is gone, whatever ended it, and ends this one, whatever it does."""
    while leader.recv(1):
        pass
    os._exit(1)


def main(link: int, life: int) -> None:
    """Follows the process at the other ends of two sockets, of which it was given the numbers."""
    set_up_process()
    threading.Thread(target=end_with, args=(socket.socket(fileno=life),), name="leader", daemon=True).start()
    connection = cast("Connection[object, Job | Task]", Connection(link))
    try:
        follow(connection)
    except EOFError:
        pass
    except Exception as error:  # such as an adapter that cannot be made again here
        connection.send(Failed(line_of(error)))
    finally:
        os._exit(0)  # what else runs here, such as a communicator's own threads, must not keep it


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
