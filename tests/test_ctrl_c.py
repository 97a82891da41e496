"""Ctrl-C as a terminal sends it, to the whole group of processes, at moments from the first import to the last line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mipha_eval.core import stopping
from mipha_eval.core.children import Child, run_program
from mipha_eval.core.errors import GivenUpError
from mipha_eval.engine.background import BackgroundWorker
from mipha_eval.engine.interrupt import STOPPED
from mipha_eval.scoring.captions import measures
from mipha_eval.scoring.captions.words import tokenize
from tests.conftest import Cli

RUN = [
    sys.executable,
    "-m",
    "mipha_eval",
    "run",
    "--tasks",
    "pope,mme",
    "--model",
    "constant",
    "--data",
    "demo",
    "--limit",
    "20",
    "--json",
]
MOMENTS = 10


def started(output: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([*RUN, "-o", str(output)], stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def metrics(printed: str) -> list[Any]:
    return [result["metrics"] for result in json.loads(printed)["results"]]


def test_ten_moments_once_and_twice(tmp_path: Path) -> None:
    """One sentence and one exit code at each, no traceback; the same command comes to the results of one left alone."""
    begun = time.monotonic()
    alone = started(tmp_path / "alone")
    whole, errors = alone.communicate()
    assert alone.returncode == 0, errors
    seconds, stopped = time.monotonic() - begun, 0
    for place in range(MOMENTS):
        process = started(tmp_path / "runs")
        try:
            # Python itself shows where it stood if it is stopped before it has read the program
            process.wait(max(0.3, seconds * (place + 0.5) / MOMENTS))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            if place % 2:
                os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=120)
        if process.returncode:
            stopped += 1
            assert (process.returncode, errors.splitlines().count(STOPPED)) == (3, 1), errors
            assert "Traceback" not in errors
    assert stopped, "of a machine that is busy now and not then some have ended before"
    again = started(tmp_path / "runs")
    printed, _ = again.communicate()
    assert (again.returncode, metrics(printed)) == (0, metrics(whole))


def java_in_place(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    """A shell script that is found as Java."""
    folder.joinpath("java").write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
    folder.joinpath("java").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def appeared(file: Path) -> int:
    """The number that a program writes to a file, once it is there."""
    until = time.monotonic() + 60
    while not (file.exists() and file.read_text().strip()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return int(file.read_text())


@pytest.fixture
def asked_to_stop() -> Iterator[None]:
    stopping.ask_to_stop()
    yield
    stopping.ask_to_stop(asked=False)


#: tokens as COCO's tokenizer writes them, and 23 numbers for METEOR; the program that is named by a file `stuck` hangs
JAVA = """
tell() { [ "$(cat {folder}/stuck)" != $1 ] || { echo $$ > {folder}/pid; sleep 1000 & wait; }; }
case "$*" in
  *PTBTokenizer*) tell tokenizer; tr A-Z a-z < captions ;;
  *) tell meteor; while read line; do echo 3 3 1 1 2 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 2 2; done ;;
esac
"""


def test_captions_are_given_up_and_scored_by_the_next_run(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One Ctrl-C while Java works ends Java and the run, in either program; other tasks have their results."""
    java_in_place(monkeypatch, tmp_path, JAVA.replace("{folder}", str(tmp_path)))
    run = ["run", "--tasks", "pope,coco-cap", "-m", "constant", "--data", "demo", "-L", 6, "--json", "-o", tmp_path / "runs"]
    command = [*run, "-a", "coco-cap.tokenizer=ptb"]
    for program in ("tokenizer", "meteor"):
        tmp_path.joinpath("pid").unlink(missing_ok=True)
        tmp_path.joinpath("stuck").write_text(program)

        def stop() -> None:
            appeared(tmp_path / "pid")
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=stop).start()
        outcome = cli(*command)
        assert (outcome.code, outcome.err.splitlines()[-1]) == (3, STOPPED), outcome.err
        assert "METEOR" not in outcome.err
        assert [result["task"] for result in outcome.json["results"]] == ["pope@demo"]
        assert not psutil.pid_exists(appeared(tmp_path / "pid"))
    tmp_path.joinpath("stuck").write_text("nothing")
    outcome = cli(*command)
    assert outcome.code == 0, outcome.err
    assert {result["task"] for result in outcome.json["results"]} == {"pope@demo", "coco-cap@demo"}


AT_ODD_PLACES = {
    "where nothing can be raised": "class Odd:\n    def __del__(self): os.kill(os.getpid(), 2)\nOdd()\nprint('went on')",
    "made another error": "try: os.kill(os.getpid(), 2)\nexcept BaseException as error: raise ValueError from error",
}


@pytest.mark.parametrize("place", AT_ODD_PLACES)
def test_at_odd_places(place: str, tmp_path: Path) -> None:
    """In code that is imported, as a library's is."""
    plugin = tmp_path / "odd.py"
    plugin.write_text(f"import os\n{AT_ODD_PLACES[place]}\n", encoding="utf-8")
    command = [sys.executable, "-m", "mipha_eval", "show", "task", "odd", "--plugin", str(plugin)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (3, "", [STOPPED])


def ended(process: psutil.Process) -> bool:
    """Whether a process has come to its end, also where nobody asks how."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_nothing_is_left_of_children(tmp_path: Path) -> None:
    """Neither of one that hears no request to end, nor of what it started."""
    script = f"trap '' TERM; sleep 1000 & echo $! > {tmp_path}/pid; wait; wait"
    child: Child[bytes] = Child(["sh", "-c", script])
    started = psutil.Process(appeared(tmp_path / "pid"))
    stopping.end_brief_children()
    assert child.poll() is None, "it is not one that is waited for"
    stopping.end_children()
    assert child.wait(20) == -signal.SIGKILL
    deadline = time.monotonic() + 20
    while not ended(started):
        assert time.monotonic() < deadline, "what it started goes on"
        time.sleep(0.05)
    with pytest.raises(GivenUpError):
        child.check()


@pytest.mark.parametrize("full", [False, True])
def test_a_signal_that_ends_no_wait_is_heard(full: bool) -> None:
    """While the main thread waits for what is done beside it: one that another thread gets, as it may."""
    heard, in_time = threading.Event(), []
    previous = signal.signal(signal.SIGINT, lambda *_: heard.set())

    def work() -> None:
        time.sleep(0.3)  # the main thread waits by now
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        in_time.append(heard.wait(10))

    try:
        with BackgroundWorker() as beside:
            for _ in range(5 if full else 1):
                beside.submit(work)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert all(in_time)


@pytest.mark.usefixtures("asked_to_stop")
def test_nothing_is_begun_once_ctrl_c_was_pressed(tmp_path: Path) -> None:
    with pytest.raises(GivenUpError):
        run_program(["touch", str(tmp_path / "begun")])
    assert not (tmp_path / "begun").exists()
    with pytest.raises(GivenUpError):
        tokenize(["A cat."], "treebank")
    with Child[bytes](["sleep", "1000"], brief=True) as child:
        assert child.wait(20) == -signal.SIGKILL


def test_java_is_no_part_of_the_terminals_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program in Java's place tells its session, and that is not ours."""
    java_in_place(monkeypatch, tmp_path, "read line\nps -o sid= -p $$\n")
    process = measures._meteor_process()
    told, _ = process.communicate(b"a line\n")
    assert int(told) == process.pid != os.getsid(0)
