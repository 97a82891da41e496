"""What is done beside the model: in order, bounded, and never failing silently."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from functools import partial

import pytest

from mipha_eval.core.errors import UserError
from mipha_eval.engine.background import BACKLOG, BackgroundWorker


def refuse() -> None:
    raise UserError("the disk is full")


def test_all_is_done_in_order_in_another_thread() -> None:
    done: list[tuple[int, str]] = []

    def note(number: int) -> None:
        done.append((number, threading.current_thread().name))

    with BackgroundWorker() as beside:
        for number in range(100):
            beside.submit(partial(note, number))
    assert done == [(number, "beside") for number in range(100)]


def test_the_backlog_is_bounded() -> None:
    """At most what waits and what is in hand is lost when a process is killed."""
    gate, submitted = threading.Event(), list[int]()

    def submit(beside: BackgroundWorker) -> None:
        for number in range(20):
            beside.submit(gate.wait)
            submitted.append(number)

    with BackgroundWorker() as beside:
        thread = threading.Thread(target=submit, args=(beside,))
        thread.start()
        time.sleep(0.2)
        assert len(submitted) == BACKLOG + 1
        gate.set()
        thread.join()


def test_a_failure_stops_whoever_submits_next() -> None:
    done: list[int] = []

    def submit_many() -> None:
        with BackgroundWorker() as beside:
            beside.submit(refuse)
            for number in range(1000):
                beside.submit(partial(done.append, number))
                time.sleep(0.001)

    with pytest.raises(UserError, match="the disk is full"):
        submit_many()
    assert done == [], "nothing is done on top of what failed"


def test_a_failure_in_the_last_work_is_not_lost() -> None:
    with pytest.raises(UserError, match="the disk is full"), BackgroundWorker() as beside:
        beside.submit(refuse)


def test_an_error_of_the_model_keeps_what_was_submitted() -> None:
    done: list[int] = []

    def break_down() -> None:
        with BackgroundWorker() as beside:
            beside.submit(partial(time.sleep, 0.1))
            beside.submit(partial(done.append, 1))
            raise RuntimeError("the model broke")

    with pytest.raises(RuntimeError, match="the model"):
        break_down()
    assert done == [1]


def test_a_second_interrupt_waits_for_nothing() -> None:
    gate = threading.Event()
    started = time.monotonic()

    def interrupt() -> None:
        with BackgroundWorker() as beside:
            beside.submit(partial(gate.wait, 30))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert time.monotonic() - started < 5
    gate.set()


def test_nor_does_the_end_of_the_program() -> None:
    """Which waits for the threads of executors."""
    script = (
        "import time\n"
        "from mipha_eval.engine.background import BackgroundWorker\n"
        "with BackgroundWorker() as beside:\n"
        "    beside.submit(lambda: time.sleep(60))\n"
        "    raise KeyboardInterrupt\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert "KeyboardInterrupt" in done.stderr


def test_the_interpreter_is_left_as_it_was() -> None:
    before = sys.getswitchinterval()
    with BackgroundWorker():
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before
