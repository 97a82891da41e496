"""Workers as real processes of Ray: the answers of one process, whoever dies."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

import mipha_eval
from mipha_eval.cluster.batch import MOST_DEATHS, MOST_DEATHS_ALONE
from mipha_eval.cluster.member import AHEAD
from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.runs.stored_run import Run
from tests.conftest import Cli, Outcome, read_json, read_jsonl
from tests.progress_lines import besides_progress
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
    doomed = [nodes.add() for _ in range(5)]
    killer = Killer(tmp_path, 2, lambda: nodes.remove(doomed.pop()))
    killer.start()
    run = dying(tmp_path, WorkerSettings(6, nodes.address), seconds=3 * SLOW)
    killer.join(60)
    assert killer.killed == 5
    check_whole(run, alone[1])
    check_asked(tmp_path, alone[0], 5)
    workers = read_json(run.path / "manifest.json")["workers"]
    assert {each["ended"] for each in workers} <= {"", "was lost with its node", "cannot be reached any more"}
    assert any(each["ended"] for each in workers)


def command(folder: Path, *arguments: object, **options: object) -> list[str]:
    """A command line of such a run."""
    given = {"log": folder / "log", **options}
    pairs = [part for name, value in given.items() for part in ("-a", f"{name}={value}")]
    words = ["run", "--tasks", "pope", "--data", "demo", "--model", "dying", "--plugin", PLUGIN, "--batch-size", BATCH]
    return [sys.executable, "-m", "mipha_eval", *map(str, [*words, "-o", folder / "runs", *pairs, *arguments])]


#: Ray's agents of nodes that ended; they try to tell the head of that for a minute, also where it ended, too
AGENTS: set[psutil.Process] = set()


@pytest.fixture(scope="module", autouse=True)
def _agents_end() -> Iterator[None]:
    """Looks that agents are gone once all tests are done, rather than to wait after each."""
    yield
    left = psutil.wait_procs(AGENTS, timeout=120)[1]
    assert not left, f"left behind: {left}"


def left_of(family: Collection[psutil.Process]) -> list[psutil.Process]:
    return list(psutil.wait_procs(family, timeout=0)[1])


def is_agent(process: psutil.Process) -> bool:
    """Whether it is one of Ray's agents of a node, or has ended meanwhile."""
    try:
        return "Agent" in process.name()
    except psutil.NoSuchProcess:
        return True


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
        """Waits for it, and looks that nothing of it is left but agents, which are looked at in the end."""
        while True:
            self.note_family()
            try:
                out, err = self._process.communicate(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                seconds -= 0.5
                assert seconds > 0, "it does not end"
        assert wait_for(lambda: all(map(is_agent, left_of(self.family))), 10), f"left behind: {left_of(self.family)}"
        AGENTS.update(left_of(self.family))
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


@pytest.mark.parametrize(("how", "reason"), [("exit", "was killed, or crashed"), ("hang", "gave no answer for 3 s")])
def test_a_poisonous_question_fails_alone(
    nodes: LocalNodes, alone: tuple[Path, Run], tmp_path: Path, how: str, reason: str
) -> None:
    key = random.Random(how).choice(sorted({key for _, key in notes(alone[0])}))
    run = dying(tmp_path, WorkerSettings(2, nodes.address, timeout=3), seconds=0, culprit=key, how=how)
    right = {row["sample"]: row["text"] for row in stored(alone[1]) if row["key"] != key}
    rows = stored(run)
    assert {row["sample"]: row["text"] for row in rows if not row["error"]} == right
    told = f"each of {MOST_DEATHS_ALONE} workers that was asked this alone ended: it {reason}"
    assert {(row["key"], row["error"]) for row in rows if row["error"]} == {(key, told)}
    asked = Counter(key for _, key in notes(tmp_path))
    # once more where a worker ended before the answers to the batch before had left it, which is blamed then
    assert asked[key] - MOST_DEATHS - MOST_DEATHS_ALONE in (0, 1)


def test_a_question_that_needs_too_much_memory_fails_alone(
    nodes: LocalNodes, alone: tuple[Path, Run], tmp_path: Path
) -> None:
    """As in one process, and no worker dies of it."""
    key = sorted({key for _, key in notes(alone[0])})[7]
    run = dying(tmp_path, WorkerSettings(2, nodes.address), seconds=0, culprit=key, how="memory")
    rows = stored(run)
    assert {(row["key"], row["error"]) for row in rows if row["error"]} == {(key, "out of memory: 1 questions")}
    assert len(rows) == len(stored(alone[1]))
    assert {each["ended"] for each in read_json(run.path / "manifest.json")["workers"]} == {""}


def exact(run: Run) -> list[object]:
    """All that was answered, but for what rounding may change."""
    return [
        (
            each.task,
            name,
            one.text,
            one.tokens,
            one.finish,
            one.error,
            one.option_tokens,
            sorted(token for token, _ in one.top),
        )
        for each in run
        for name, one in sorted(each.answers.responses.items())
    ]


def inexact(run: Run) -> list[float]:
    """Log-probabilities, logits and probabilities."""
    found = [one for each in run for _, one in sorted(each.answers.responses.items())]
    return [
        number
        for one in found
        for number in (*one.likelihoods, *one.probabilities, *(logit for _, logit in sorted(one.top)))
    ]


def test_answers_are_those_of_one_process(nodes: LocalNodes, tmp_path: Path) -> None:
    """Of all tasks at once, whatever the number of workers, with all that is made of them."""

    def run(count: int) -> Run:
        workers = WorkerSettings(count, nodes.address) if count else None
        found: Run = mipha_eval.evaluate(
            "mipha-tiny",
            "all",
            data="demo",
            limit=5,
            probabilities=True,
            output=tmp_path / str(count),
            workers=workers,
            progress=False,
            options={"device": "cpu"},
        )
        return found

    alone = run(0)
    assert len(numbers(alone)) > 10
    assert len(inexact(alone)) > 100
    for count in (1, 3):
        found = run(count)
        assert exact(found) == exact(alone)
        assert numbers(found) == numbers(alone)
        assert inexact(found) == pytest.approx(inexact(alone), abs=1e-4)
        workers = read_json(found.path / "manifest.json")["workers"]
        assert len(workers) == count
        assert all(each["answered"] for each in workers)


def test_workers_that_join_are_used(nodes: LocalNodes, alone: tuple[Path, Run], tmp_path: Path) -> None:
    """More are asked for than there is room for, and then there is a further node."""
    started = Started(command(tmp_path, "--workers", 5, "--cluster", nodes.address, "--json", seconds=4 * SLOW))
    assert wait_for(lambda: bool(notes(tmp_path)))
    node = nodes.add(num_cpus=2)
    outcome = started.end()
    nodes.remove(node)
    assert outcome.code == 0
    assert besides_progress(outcome.err) == "there is room for 3 of 5 workers; the others begin when there is more\n"
    assert len({pid for pid, _ in notes(tmp_path)}) == 5
    assert {row["sample"]: row["text"] for row in stored(Path(outcome.json["run"]))} == {
        row["sample"]: row["text"] for row in stored(alone[1])
    }


@pytest.mark.parametrize("count", [1, 2])
def test_ctrl_c(tmp_path: Path, alone: tuple[Path, Run], count: int) -> None:
    """Once: what is under way comes to its end, and is stored. Twice: it ends at once. Nothing is left running."""
    started = Started(command(tmp_path, "--workers", 2, "--threads", 1, seconds=SLOW))
    assert wait_for(lambda: len(notes(tmp_path)) > 5 * BATCH)
    started.send(signal.SIGINT)
    if count == 2:
        time.sleep(0.05)
        started.send(signal.SIGINT)
    outcome = started.end()
    assert outcome.code == 3
    assert "Traceback" not in outcome.err
    lines = besides_progress(outcome.err).splitlines()
    assert lines[0] == "finishing the batch; once more stops at once"
    assert any("the same command" in line and "goes on from what is stored" in line for line in lines)
    (run,) = (tmp_path / "runs").iterdir()
    rows = stored(run)
    asked = {key for _, key in notes(tmp_path)}
    if count == 1:
        assert {row["key"] for row in rows} == asked
    assert {row["key"] for row in rows} <= asked < {key for _, key in notes(alone[0])}
    assert not any(row["error"] for row in rows)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_driver_that_is_told_to_end(tmp_path: Path, number: signal.Signals) -> None:
    started = Started(command(tmp_path, "--workers", 2, "--threads", 1, seconds=SLOW))
    assert wait_for(lambda: len(notes(tmp_path)) > 5 * BATCH)
    started.send(number, group=False)
    outcome = started.end()
    assert outcome.code
    assert "Traceback" not in outcome.err


def test_a_run_with_workers_says_no_more_than_one_without(tmp_path: Path) -> None:
    """Standard output is JSON and nothing else, also where a worker dies; what is said of that is a line."""
    words = command(tmp_path, "--workers", 2, "--json", "--limit", 40)
    outcome = Started(words).end()
    assert (outcome.code, besides_progress(outcome.err)) == (0, "")
    assert [each["n"] for each in outcome.json["results"]] == [40]


def test_models_of_a_file_are_asked_on_a_cluster(nodes: LocalNodes, cli: Cli, tmp_path: Path) -> None:
    """One after the other, each on all workers, with the answers that they have without."""
    (tmp_path / "models.toml").write_text(
        '[[model]]\nmodel = "mipha-tiny"\n[[model]]\nname = "cold"\nmodel = "mipha-tiny"\noptions = { dtype = "bfloat16" }\n'
    )
    words = [
        "run",
        "--models",
        tmp_path / "models.toml",
        "--tasks",
        "pope",
        "--data",
        "demo",
        "--limit",
        12,
        "--device",
        "cpu",
    ]
    far = cli(*words, "--output", tmp_path / "far", "--cluster", nodes.address, "--workers", 2, "--json")
    near = cli(*words, "--output", tmp_path / "near", "--json")
    assert (far.code, near.code) == (0, 0), far.err + near.err
    runs = {place: sorted((tmp_path / place).glob("mipha-tiny*")) for place in ("far", "near")}
    assert len(runs["far"]) == len(runs["near"]) == 2
    for run in runs["far"]:
        assert sum(worker["answered"] for worker in read_json(run / "manifest.json")["workers"]) == 12
    texts = [sorted(row["text"] for run in found for row in stored(run)) for found in runs.values()]
    assert texts[0] == texts[1]


def said_of(outcome: Outcome) -> str:
    """The one line of a run that could not be."""
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.startswith("error: ")
    return outcome.err.strip()


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (["--cluster", "127.0.0.1:1"], "nobody listens at 127.0.0.1:1: "),
        (["--cluster", "127.0.0.1:99999"], "nobody listens at 127.0.0.1:99999: "),
        (["--cluster", "nowhere.invalid:6379"], "nobody listens at nowhere.invalid:6379: "),
        (["--cluster", "here"], "here is no address of a Ray cluster; "),
        (["--cluster", "ray://127.0.0.1:10001"], "ray://127.0.0.1:10001 is no address of a Ray cluster; "),
        (["--cluster", ""], " is no address of a Ray cluster; "),
        (["--workers", "0"], "workers 0: expected auto or a positive number"),
        (["--workers", "many"], "workers many: expected auto or a positive number"),
        (["--gpus-per-worker", "1"], "--gpus-per-worker is about workers"),
    ],
)
def test_what_cannot_be_asked_for_is_said_at_once(cli: Cli, tmp_path: Path, flags: list[str], error: str) -> None:
    outcome = cli(*command(tmp_path)[3:], *flags)
    assert outcome.code == 2
    assert error in said_of(outcome)


def test_without_ray(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    outcome = cli(*command(tmp_path)[3:], "--workers", 2)
    assert outcome.code == 2
    assert f"pip install 'mipha-eval[cluster]=={mipha_eval.__version__}'" in said_of(outcome)


def test_launchers_of_many_processes_are_refused(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    outcome = cli(*command(tmp_path)[3:])
    assert outcome.code == 2
    assert "start one: mipha-eval run --workers 4" in said_of(outcome)


def test_somebody_else_listens(cli: Cli, tmp_path: Path) -> None:
    """At a port of a program that is no head of Ray's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        outcome = cli(*command(tmp_path)[3:], "--workers", 2, "--cluster", f"127.0.0.1:{server.getsockname()[1]}")
    assert outcome.code == 2
    assert "is no head of a Ray cluster" in said_of(outcome)


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (["--workers", "auto"], "there is no GPU for a worker; say how many workers compute on CPUs"),
        (["--workers", "2", "--gpus-per-worker", "1"], "there is no GPU for a worker; "),
        (["--workers", "2", "--gpus-per-worker", "4"], "model dying computes on one GPU, and each worker is to hold 4"),
        (["--workers", "2", "-a", "path=nowhere/at/all"], "No such file or directory: 'nowhere/at/all'"),
        (["--workers", "2", "-a", "how=loading"], "a worker was killed, or crashed while it loaded the model"),
    ],
)
def test_what_a_cluster_cannot_do(nodes: LocalNodes, cli: Cli, tmp_path: Path, flags: list[str], error: str) -> None:
    before = len(workers_of_ray())
    outcome = cli(*command(tmp_path)[3:], "--cluster", nodes.address, *flags)
    assert outcome.code == 2
    assert error in said_of(outcome)
    assert wait_for(lambda: len(workers_of_ray()) <= before, 10), "workers live on"


def workers_of_ray() -> list[psutil.Process]:
    """Processes of our workers below this one."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [each for each in psutil.Process().children(recursive=True) if each.name().startswith("ray::Worker")]
    return []


def test_no_gpu_where_one_was_asked_for(nodes: LocalNodes, cli: Cli, tmp_path: Path) -> None:
    words = ["run", "--tasks", "pope", "--data", "demo", "-o", tmp_path, "--device", "cuda"]
    outcome = cli(*words, "--cluster", nodes.address, "--workers", 1)
    alone = cli(*words)
    assert (outcome.code, said_of(outcome)) == (alone.code, said_of(alone))


@pytest.mark.parametrize(
    ("start", "error"),
    [
        ('import mipha_eval; mipha_eval.__version__ = "0.0"', "a node has mipha-eval 0.0, and this is "),
        ('import sys; sys.modules["mipha_eval"] = None', "a node cannot import mipha-eval ("),
    ],
)
def test_a_node_with_another_version(nodes: LocalNodes, cli: Cli, tmp_path: Path, start: str, error: str) -> None:
    """What Python begins with there stands for what is installed."""
    (tmp_path / "sitecustomize.py").write_text(start)
    here = str(Path(mipha_eval.__file__).parents[1])
    node = nodes.add(num_cpus=1, env_vars={"PYTHONPATH": os.pathsep.join([str(tmp_path), here])})
    outcome = cli(*command(tmp_path)[3:], "--workers", 4, "--cluster", nodes.address)
    nodes.remove(node)
    assert outcome.code == 2
    assert error in said_of(outcome)


def test_a_cluster_of_another_python(nodes: LocalNodes, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray._private.utils.compute_version_info", lambda: ("2.0.0", "3.9.1"))
    outcome = cli(*command(tmp_path)[3:], "--workers", 2, "--cluster", nodes.address)
    assert outcome.code == 2
    told = said_of(outcome)
    assert f"the cluster at {nodes.address} has another version of Python or Ray: " in told
    assert "3.9.1" in told
