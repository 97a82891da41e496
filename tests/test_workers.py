"""Workers as real processes of Ray: the answers of one process, whoever dies."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import mipha_eval
from mipha_eval.cluster.batch import MOST_DEATHS, MOST_DEATHS_ALONE
from mipha_eval.cluster.member import AHEAD
from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.core.types import Response
from mipha_eval.runs.stored_run import Run
from tests.conftest import Outcome, Said, read_json, read_jsonl
from tests.ray_nodes import LocalNodes, local_nodes

pytest.importorskip("ray")

PLUGIN = Path(__file__).parent / "dying_adapter.py"
BATCH = 10
#: seconds of a question, so that a run of the demo's POPE takes some seconds
SLOW = 0.03


@pytest.fixture(scope="module")
def nodes() -> Iterator[LocalNodes]:
    """A cluster of one node on this machine, for workers without a device."""
    with local_nodes() as found:
        yield found


def dying(folder: Path, workers: WorkerSettings | None, **options: object) -> Run:
    """A run of POPE with the model that dies."""
    return mipha_eval.evaluate(
        "dying",
        "pope",
        data="demo",
        output=folder / "runs",
        plugins=[PLUGIN],
        batch_size=BATCH,
        workers=workers,
        progress=False,
        options={"log": folder / "log", **options},
    )


def notes(folder: Path) -> list[tuple[int, str]]:
    """(Process, key) of every question that was asked."""
    path = folder / "log"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(int(pid), key) for pid, key in (line.split() for line in lines)]


def stored(run: Run | Path) -> list[dict[str, Any]]:
    """All responses as they were appended."""
    folder = run.path if isinstance(run, Run) else run
    return [row for path in sorted(folder.glob("*/responses.jsonl")) for row in read_jsonl(path)]


def numbers(run: Run) -> list[object]:
    return [(each.summary.task, each.summary.n, each.summary.metrics, each.summary.intervals) for each in run]


def check_whole(run: Run, alone: Run) -> None:
    """Everything was stored, nothing twice, and all is as where nobody died."""
    rows = stored(run)
    ids = [row["sample"] for row in rows]
    assert len(ids) == len(set(ids))
    assert {row["sample"]: row["text"] for row in rows} == {row["sample"]: row["text"] for row in stored(alone)}
    assert numbers(run) == numbers(alone)


def check_asked(folder: Path, alone: Path, deaths: int) -> None:
    """No more was asked again than the batches that were under way."""
    asked, once = [key for _, key in notes(folder)], {key for _, key in notes(alone)}
    assert set(asked) == once
    assert len(asked) - len(once) <= deaths * AHEAD * BATCH
    assert max(Counter(asked).values()) <= 1 + deaths


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """The run in one process."""
    folder = tmp_path_factory.mktemp("alone")
    return folder, dying(folder, None, seconds=0)


class Killer(threading.Thread):
    """Has something die at random moments while questions are asked."""

    def __init__(self, folder: Path, seed: int, kill: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._folder, self._moments, self._kill = folder, moments(seed), kill
        self.killed = 0

    def run(self) -> None:
        for moment in self._moments:
            if not wait_for(lambda moment=moment: len(notes(self._folder)) >= moment):  # type: ignore[misc]
                return
            self._kill()
            self.killed += 1


def moments(seed: int) -> list[int]:
    """Five, in questions that were asked."""
    return sorted(random.Random(seed).sample(range(1, 350), 5))


def wait_for(done: Callable[[], bool], seconds: float = 120) -> bool:
    """Whether something came to be."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def at_work(folder: Path, dead: Collection[int]) -> list[int]:
    """Processes that were asked something lately."""
    return sorted({pid for pid, _ in notes(folder)[-4 * BATCH :]} - set(dead))


def test_workers_are_killed(nodes: LocalNodes, alone: tuple[Path, Run], tmp_path: Path) -> None:
    """By SIGKILL, five times, in the middle of a batch; and others come in their place."""
    dead: list[int] = []

    def kill() -> None:
        assert wait_for(lambda: bool(at_work(tmp_path, dead)))
        dead.append(random.Random(len(dead)).choice(at_work(tmp_path, dead)))
        os.kill(dead[-1], signal.SIGKILL)

    killer = Killer(tmp_path, 1, kill)
    killer.start()
    run = dying(tmp_path, WorkerSettings(2, nodes.address), seconds=SLOW)
    killer.join(10)
    assert killer.killed == 5
    check_whole(run, alone[1])
    check_asked(tmp_path, alone[0], len(dead))
    workers = read_json(run.path / "manifest.json")["workers"]
    assert sum("was killed" in each["ended"] for each in workers) == len(dead)


def test_nodes_are_killed(nodes: LocalNodes, alone: tuple[Path, Run], tmp_path: Path) -> None:
    """With all that is on them, five times."""
    with ThreadPoolExecutor(5) as pool:
        doomed = list(pool.map(lambda _: nodes.add(), range(5)))
    killer = Killer(tmp_path, 2, lambda: nodes.remove(doomed.pop()))
    killer.start()
    run = dying(tmp_path, WorkerSettings(6, nodes.address), seconds=3 * SLOW)
    killer.join(60)
    assert killer.killed == 5
    check_whole(run, alone[1])
    check_asked(tmp_path, alone[0], 5)
    workers = read_json(run.path / "manifest.json")["workers"]
    assert {each["ended"] for each in workers} <= {"", "was lost with its node"}
    assert any(each["ended"] for each in workers)


def command(folder: Path, *arguments: object, **options: object) -> list[str]:
    """A command line of such a run."""
    given = {"log": folder / "log", **options}
    pairs = [part for name, value in given.items() for part in ("-a", f"{name}={value}")]
    words = ["run", "--tasks", "pope", "--data", "demo", "--model", "dying", "--plugin", PLUGIN, "--batch-size", BATCH]
    return [sys.executable, "-m", "mipha_eval", *map(str, [*words, "-o", folder / "runs", *pairs, *arguments])]


class Started:
    """A command of a process group of its own, as a shell begins it."""

    def __init__(self, words: Sequence[str], **environment: str) -> None:
        self._process = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, **environment},
        )
        self.family: set[psutil.Process] = set()

    def note_family(self) -> None:
        """Notes all processes that it has begun by now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            own = psutil.Process(self._process.pid)
            self.family |= {own, *own.children(recursive=True)}

    def send(self, number: int, *, group: bool = True) -> None:
        self.note_family()
        (os.killpg if group else os.kill)(self._process.pid, number)

    def end(self, seconds: float = 120) -> Outcome:
        """Waits for it, and looks that nothing of it is left."""
        while True:
            self.note_family()
            try:
                out, err = self._process.communicate(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                seconds -= 0.5
                assert seconds > 0, "it does not end"
        left = psutil.wait_procs(self.family, timeout=10)[1]
        assert not left, f"left behind: {[each.cmdline() for each in left]}"
        return Outcome(self._process.returncode, out, err)


def test_drivers_are_killed(nodes: LocalNodes, alone: tuple[Path, Run], tmp_path: Path) -> None:
    """Five times, each with another number of workers; the run goes on with what is stored."""
    for moment, count in zip(moments(3), (1, 2, 3, 2, 1), strict=True):
        words = command(tmp_path, "--workers", count, "--cluster", nodes.address, seconds=SLOW)
        started = Started(words)
        assert wait_for(lambda moment=moment: len(notes(tmp_path)) >= moment)  # type: ignore[misc]
        started.send(signal.SIGKILL, group=False)
        assert started.end().code == -signal.SIGKILL
        pids = {pid for pid, _ in notes(tmp_path)}
        assert wait_for(lambda pids=pids: not any(map(psutil.pid_exists, pids)), 30), "workers live on"  # type: ignore[misc]
    run = dying(tmp_path, WorkerSettings(2, nodes.address), seconds=SLOW)
    check_whole(run, alone[1])
    check_asked(tmp_path, alone[0], 5 * 3)
    assert len(list((tmp_path / "runs").iterdir())) == 1
