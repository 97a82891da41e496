"""Ctrl-C as a terminal sends it, to the whole group of processes, at moments from the first import to the last line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.engine.interrupt import STOPPED
from mipha_eval.scoring.captions import measures

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
    assert stopped >= MOMENTS // 3
    again = started(tmp_path / "runs")
    printed, _ = again.communicate()
    assert (again.returncode, metrics(printed)) == (0, metrics(whole))


def test_java_is_no_part_of_the_terminals_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program in Java's place tells its session, and that is not ours."""
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\nread line\nps -o sid= -p $$\n", encoding="utf-8")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    scorer = measures._started_meteor()
    told = int(scorer._stat("a cat", ["a cat"]))
    scorer.meteor_p.communicate()
    assert told == scorer.meteor_p.pid != os.getsid(0)
