"""A cluster without processes: workers load, answer, hang and die by a seed; events come in any order, some twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from mipha_eval import __version__
from mipha_eval.cluster.cluster import Cluster, Death, Event, PictureRef
from mipha_eval.cluster.member import AHEAD
from mipha_eval.cluster.messages import AnswerJob, Broken, CostJob, Done, FolderJob, Job, Picture, SentRequest, WorkerFacts
from mipha_eval.cluster.worker_model import values_of
from mipha_eval.core.adapter import Cost, ModelAdapter
from mipha_eval.core.data_source import ImageFile
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.model_facts import ModelFacts
from mipha_eval.core.types import Image, Request, Response

#: looks for an event behind which nothing is taken to come any more
MOST_LOOKS = 100_000
BUDGET = 60


@dataclass(frozen=True)
class Far(ModelAdapter):
    """A model that this process never asks."""

    name: ClassVar[str] = "far"

    def generate(self, batch: list[Request]) -> list[Response]:  # type: ignore[override]
        raise AssertionError("asked in the driver")


def asked(number: int, picture: int, folder: str = "/pictures") -> Request:
    """A question about a picture that is a file of a folder."""
    name = f"{picture}.png"
    return Request(f"question {number}", (Image(name, f"{folder}/{name}", ImageFile(Path(folder), name)),))


def cost_of(text: str) -> Cost:
    """Of a question about a picture, by its number."""
    return Cost(10, 1 + int(text.rsplit(maxsplit=1)[-1]) % 7)


def answer_to(text: str) -> str:
    return f"answer to {text}"


@dataclass
class Clock:
    """In place of the module `time`: it goes on while the driver waits."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def perf_counter(self) -> float:
        return self.now


@dataclass
class Node:
    """How many workers it has room for, which folders it sees, and pictures that are missing in them."""

    room: int = 1
    folders: Collection[str] = ()
    missing: Collection[str] = ()


@dataclass
class Process:
    """A worker's own side."""

    number: int
    node: str = ""
    loaded: bool = False
    dead: Death | None = None
    jobs: list[tuple[Job, Collection[str]]] = field(default_factory=list)


@dataclass
class Script:
    """What happens.

    Attributes:
        kills, lost: how many workers, and how many nodes, die whenever it comes.
        joining: nodes that come while it runs.
        poison: of questions that a worker dies of; `hanging`: of those that it never answers.
        breaking: of questions behind which its model can do nothing more, `fault` whether that is the user's to mend.
        failing: of questions that have a reason in place of an answer.
        loads: what comes of loading, by the worker's number; nothing else is said of those that load well.
        twice: how many events in a hundred are heard twice; `prompt`: whether each is heard as soon as it is there.
        model: what a worker says of its weights.
        budgets: what a batch may cost behind so many answered batches.
    """

    kills: int = 0
    lost: int = 0
    joining: list[Node] = field(default_factory=list)
    poison: Collection[str] = ()
    hanging: Collection[str] = ()
    breaking: Collection[str] = ()
    fault: bool = True
    failing: Collection[str] = ()
    loads: Callable[[int], Broken | Death | None] = lambda _: None
    twice: int = 10
    prompt: bool = False
    model: Callable[[int], JsonObject] = lambda _: {}
    budgets: Callable[[int], int] = lambda _: BUDGET


class ScriptedCluster(Cluster):
    """Does one thing whenever the driver looks for an event.

    Attributes:
        sent: (worker, job, texts) of all answer jobs, in order.
        deaths: of workers that were ready.
        resent: answer jobs that came back since pictures were lacking.
        done: answer jobs that were done, also those of which the driver never hears, which are `unheard`: what a worker that
            has died did comes late.
        most: jobs that any worker had at a time.
    """

    def __init__(self, seed: int, nodes: Mapping[str, Node], script: Script, clock: Clock) -> None:
        super().__init__()
        self.random, self.nodes, self.script, self.clock = random.Random(seed), dict(nodes), script, clock
        self.processes: dict[int, Process] = {}
        self.pending: list[Event] = []
        self.sent: list[tuple[int, Job, list[str]]] = []
        self.killed: list[int] = []
        self.closed = False
        self.deaths = self.resent = self.done = self.looks = self.most = 0

    def connect(self) -> None:
        """Nothing to do."""

    def room(self) -> int:
        return sum(node.room for node in self.nodes.values())

    def start(self, worker: int) -> None:
        assert worker not in self.processes
        self.processes[worker] = Process(worker)

    def send(self, worker: int, job: Job, pictures: Mapping[str, PictureRef]) -> None:
        process = self.processes[worker]
        assert worker not in self.killed
        if isinstance(job, AnswerJob):
            self.sent.append((worker, job, [request.text for request in job.requests]))
        process.jobs.append((job, pictures.keys()))
        self.most = max(self.most, len(process.jobs))
        if process.dead:  # nobody has noticed yet
            self._say(Event(worker, job.number, process.dead))

    def put(self, picture: Picture) -> PictureRef:
        return picture

    def kill(self, worker: int) -> None:
        self.killed.append(worker)
        self._die(self.processes[worker], "was told to")

    def close(self) -> None:
        self.closed = True

    @property
    def unheard(self) -> int:
        """Batches that workers which died had done, or of which nobody has heard yet."""
        dead = {number for number, process in self.processes.items() if process.dead}
        return sum(isinstance(event.outcome, Done) for event in self.pending) + AHEAD * len(dead)

    def next_event(self, seconds: float) -> Event | None:
        self.looks += 1
        assert self.looks < MOST_LOOKS, "nothing happens any more"
        self._go_on()
        if self.pending and (self.script.prompt or self.random.random() < 0.7):
            event = self.pending.pop(self.random.randrange(len(self.pending)))
            if self.random.randrange(100) < self.script.twice:
                self.pending.append(event)
            return event
        self.clock.now += seconds
        return None

    def work_all(self) -> None:
        """Does all that workers have, before the driver looks again."""
        for process in self.processes.values():
            while process.jobs and not process.dead:
                self._work(process)

    def _go_on(self) -> None:
        for process in self.processes.values():
            if not process.node and not process.dead:
                self._place(process)
        there = [process for process in self.processes.values() if process.node and not process.dead]
        ready = [process for process in there if process.loaded]
        if self.script.joining and self.random.random() < 0.02:
            self.nodes[f"joined {len(self.nodes)}"] = self.script.joining.pop()
        if self.script.kills and ready and self.random.random() < 0.05:
            self.script.kills -= 1
            self.deaths += 1
            self._die(self.random.choice(ready), "was killed")
        elif self.script.lost and len(self.nodes) > 1 and self.random.random() < 0.02:
            self.script.lost -= 1
            name = self.random.choice(list(self.nodes))
            del self.nodes[name]
            for process in there:
                if process.node == name:
                    self.deaths += process.loaded
                    self._die(process, "was lost with its node", with_node=True)
        elif there:
            self._work(self.random.choice(there))

    def _place(self, process: Process) -> None:
        for name, node in self.nodes.items():
            taken = sum(each.node == name and not each.dead for each in self.processes.values())
            if taken < node.room:
                process.node = name
                return

    def _work(self, process: Process) -> None:
        if not process.loaded:
            self._load(process)
        elif process.jobs:
            job, sent = process.jobs[0]
            outcome = self._outcome(process, job, sent)
            if outcome is not None:
                process.jobs.pop(0)
                self._say(Event(process.number, job.number, outcome))

    def _load(self, process: Process) -> None:
        wrong = self.script.loads(process.number)
        if isinstance(wrong, Death):
            process.dead = wrong
            self._say(Event(process.number, None, wrong))
            return
        process.loaded = True
        facts = WorkerFacts(
            ModelFacts(self.script.model(process.number)), BUDGET, process.node, process.node, "cpu", 0, __version__, "3", {}
        )
        self._say(Event(process.number, None, wrong or facts))

    def _outcome(self, process: Process, job: Job, sent: Collection[str]) -> Done | Broken | None:
        """None where there is none, or not yet."""
        node = self.nodes[process.node]
        if isinstance(job, FolderJob):
            return Done(folders=frozenset(job.files.keys() & set(node.folders)))
        requests: list[SentRequest] = list(job.requests)  # type: ignore[attr-defined]
        if isinstance(job, CostJob):
            return Done(costs=[cost_of(request.text) for request in requests])
        lacking = self._lacking(node, requests, sent)
        if lacking:
            self.resent += isinstance(job, AnswerJob)
            return Done(lacking=lacking)
        texts = {request.text for request in requests}
        if texts & set(self.script.poison):
            self.deaths += 1
            self._die(process, "was poisoned")
            return None
        if texts & set(self.script.hanging):
            self.clock.now += 1
            return None
        broken = texts & set(self.script.breaking)
        return Broken("its device is lost", fault=self.script.fault) if broken else self._answered(job, requests)

    def _lacking(self, node: Node, requests: Sequence[SentRequest], sent: Collection[str]) -> frozenset[str]:
        """Pictures that are neither sent nor there."""
        files = {image.location: image.file for request in requests for image in request.images}
        for name, file in files.items():
            assert (file is None) == (name in sent)
            assert file is None or file[0] in node.folders, "a node is sent to a folder that it does not see"
        return frozenset(name for name in files.keys() - set(sent) if name in node.missing)

    def _answered(self, job: Job, requests: Sequence[SentRequest]) -> Done:
        self.done += isinstance(job, AnswerJob)
        failing = set(self.script.failing)
        given = [Response.failure("no") if each.text in failing else Response(answer_to(each.text)) for each in requests]
        rows = [*map(values_of, given)]
        return Done(rows=rows, budget=self.script.budgets(self.done), busy=1.0)

    def _die(self, process: Process, reason: str, *, with_node: bool = False) -> None:
        """That it has, and what it had under way, is told of in some order."""
        if process.dead is None:
            process.dead = Death(reason, with_node)
            for job in (None, *(job.number for job, _ in process.jobs)):
                self._say(Event(process.number, job, process.dead))

    def _say(self, event: Event) -> None:
        self.pending.append(event)
