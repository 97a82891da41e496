"""Workers as actors of Ray."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from typing import Any

from mipha_eval import __version__
from mipha_eval.cluster.cluster import Cluster, Death, Event, PictureRef
from mipha_eval.cluster.messages import Broken, Job, Picture
from mipha_eval.cluster.packing import packed
from mipha_eval.cluster.ray_actor import actor_class
from mipha_eval.cluster.ray_connection import check_installed, connection
from mipha_eval.cluster.settings import ModelOrder, WorkerSettings
from mipha_eval.core.errors import UserError

THREADS = "OMP_NUM_THREADS"
#: seconds that calls have to come to an end once their workers are ended
PARTING = 10.0
PAUSE = 0.02

logger = logging.getLogger(__name__)

#: all of this process, which share the devices: a model's workers and a judge's
_pools: list[RayCluster] = []


class RayCluster(Cluster):
    """Actors on the nodes of a Ray cluster, each with a worker.

    Args:
        on_cpu: whether the model was told to use no GPU.
    """

    def __init__(self, order: ModelOrder, settings: WorkerSettings, *, on_cpu: bool) -> None:
        super().__init__()
        check_installed()
        self._order, self._settings, self._on_cpu = order, settings, on_cpu
        self._gpus = 0.0
        self._actors: dict[int, Any] = {}
        self._class: Any = None
        self._closed = False
        self._replies: set[Future[Any]] = set()
        self._connection = ExitStack()

    def connect(self) -> None:
        self._connection.enter_context(connection(self._settings.address))
        _pools.append(self)
        self._class = actor_class()
        self._gpus = self._gpus_each()
        if not self.room():
            where = f"no node of the cluster has {self._gpus:g} GPUs" if self._gpus > 1 else "there is no GPU for a worker"
            raise UserError(f"{where}; say how many workers compute on CPUs, or ask for fewer", flag="--workers N")

    def room(self) -> int:
        nodes = _nodes()
        if not self._gpus:
            alone = self._settings.address is None
            return self._settings.count or 0 if alone else int(sum(_resources(node, "CPU") for node in nodes))
        held = sum(pool.held for pool in _pools if pool is not self)
        return max(0, sum(_fitting(_resources(node, "GPU"), self._gpus) for node in nodes) - math.ceil(held / self._gpus))

    @property
    def held(self) -> float:
        """GPUs that its workers have."""
        return self._gpus * len(self._actors)

    def start(self, worker: int) -> None:
        options = {
            "num_gpus": self._gpus,
            "num_cpus": 0 if self._settings.address is None else 1,
            "scheduling_strategy": "SPREAD",
            "runtime_env": {"env_vars": {THREADS: str(self._threads())}},
        }
        actor = self._actors[worker] = self._class.options(**options).remote()
        self._listen(actor.version.remote(), partial(self._greet, worker, actor), worker, None)

    def send(self, worker: int, job: Job, pictures: Mapping[str, PictureRef]) -> None:
        reply = self._actors[worker].do.remote(packed(job), [*pictures], *pictures.values())
        self._listen(reply, lambda outcome: self._events.put(Event(worker, job.number, outcome)), worker, job.number)

    def put(self, picture: Picture) -> PictureRef:
        return _ray().put(picture)

    def kill(self, worker: int) -> None:
        actor = self._actors.pop(worker, None)
        if actor is not None:
            with contextlib.suppress(Exception):  # it is gone already
                _ray().kill(actor)

    def close(self) -> None:
        self._closed = True
        for worker in tuple(self._actors):
            self.kill(worker)
        self._wait_for_replies()
        if self in _pools:
            _pools.remove(self)
        self._connection.close()

    def _wait_for_replies(self) -> None:
        """Until all that comes of calls is heard: Ray ends this process if it is asked for it once it is shut down."""
        until = time.monotonic() + PARTING
        while self._replies and time.monotonic() < until:
            time.sleep(PAUSE)

    def _greet(self, worker: int, actor: Any, version: str) -> None:
        """A worker's process is there: unless it has another version, it loads the model."""
        if self._closed:
            return
        if version != __version__:
            told = f"a node has mipha-eval {version}, and this is {__version__}; install one version on all nodes"
            self._events.put(Event(worker, None, Broken(told)))
            return
        level = logging.getLogger("mipha_eval").getEffectiveLevel()
        self._listen(actor.stay.remote(), lambda _: None, worker, None)
        loaded = actor.load.remote(self._order, level, self._gpus)
        self._listen(loaded, lambda outcome: self._events.put(Event(worker, None, outcome)), worker, None)

    def _listen(self, reply: Any, hear: Callable[[Any], None], worker: int, job: int | None) -> None:
        """Has what comes of a call heard; called in a thread of Ray's."""

        def done(future: Future[Any]) -> None:
            try:
                hear(future.result())
            except BaseException as error:  # nobody else would hear of it, and the driver waits for an event
                self._events.put(Event(worker, job, _outcome(error)))
            finally:
                self._replies.discard(future)

        future: Future[Any] = reply.future()
        self._replies.add(future)
        future.add_done_callback(done)

    def _gpus_each(self) -> float:
        """GPUs of a worker: those that were asked for, else one where there are any."""
        if self._settings.gpus is not None:
            return self._settings.gpus
        there = any(_resources(node, "GPU") for node in _nodes())
        if self._on_cpu or (not there and self._settings.count is not None):
            return 0.0
        return 1.0

    def _threads(self) -> int:
        """CPU threads of a worker: as was asked for, else its part of this machine, or one on a node that others share."""
        told = os.environ.get(THREADS, "").partition(",")[0].strip()  # a list has a number for each level of nesting
        asked = self._settings.threads or (int(told) if told.isdecimal() else 0)
        alone = self._settings.address is None
        return asked or (max(1, len(os.sched_getaffinity(0)) // (self._settings.count or self.room() or 1)) if alone else 1)


def _ray() -> Any:
    """Ray, whose types are not all known."""
    import ray

    return ray


def _nodes() -> list[dict[str, Any]]:
    """The nodes that are alive."""
    return [node for node in _ray().nodes() if node["Alive"]]


def _resources(node: Mapping[str, Any], kind: str) -> float:
    return float(node["Resources"].get(kind, 0.0))


def _fitting(there: float, each: float) -> int:
    """How many of a size fit: ten tenths into one, whatever rounding says."""
    return math.floor(there / each + 1e-9)


def _outcome(error: BaseException) -> Broken | Death:
    """What an error of Ray's says of a worker."""
    from ray import exceptions

    text = str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    if isinstance(error, exceptions.RayTaskError) or "ModuleNotFoundError" in text or "ImportError" in text:
        if "mipha_eval" in lines[-1] and "Error" in lines[-1]:
            return Broken(f"a node cannot import mipha-eval ({lines[-1]}); install mipha-eval {__version__} on all nodes")
        return Broken(f"a worker failed: {lines[-1]}", fault=False)
    if isinstance(error, exceptions.OutOfMemoryError) or "memory" in text.partition("exit detail")[0].lower():
        return Death("ran out of its node's memory")
    if isinstance(error, exceptions.NodeDiedError) or "node has died" in text or "its node" in text:
        return Death("was lost with its node", with_node=True)
    names: dict[type[Exception], str] = {
        exceptions.ActorUnavailableError: "cannot be reached any more",
        exceptions.ActorDiedError: "was killed, or crashed",
        exceptions.WorkerCrashedError: "was killed, or crashed",
    }
    told = next((name for kind, name in names.items() if isinstance(error, kind)), None)
    return Death(told or f"cannot be used: {type(error).__name__}: {lines[0]}")
