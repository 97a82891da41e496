"""The process of one model of a matrix: makes the runs that it is told to, one after the other, and tells how they go.

Orders are lines on standard input, events lines on what was standard output; whatever else is written goes to standard
error. However the process that began this one ends, the end of standard input is the sign to stop.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import msgspec

from mipha_eval.core.children import be_a_child
from mipha_eval.core.controls import chosen_control
from mipha_eval.core.errors import UserError
from mipha_eval.core.own_process import set_up_process
from mipha_eval.core.plugins.blame import blaming, told
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.stopping import end_children
from mipha_eval.data.parse_source import parse_source
from mipha_eval.engine.interrupt import named_interrupts
from mipha_eval.engine.progress.screen import progress_told_to
from mipha_eval.judge.grading import begin_grading
from mipha_eval.runs.asked_model import AskedModel
from mipha_eval.runs.find_tasks import find_tasks
from mipha_eval.runs.matrix.order import Begun, Ended, Event, Order, Progressed, Said, Shared, Turn
from mipha_eval.runs.run import TasksFailedError, run
from mipha_eval.runs.settings import RunSettings
from mipha_eval.runs.suites_judge import suites_judge

#: seconds that a run has to come to a clean end once nobody is there who began it
PATIENCE = 30.0

Tell = Callable[[Event], None]

logger = logging.getLogger(__name__)


class Events:
    """Writes events, from any thread."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._lock = file, threading.Lock()

    def tell(self, event: Event) -> None:
        """Nobody may be there any more to read it."""
        line = msgspec.json.encode(event).decode()
        with self._lock, contextlib.suppress(OSError):
            self._file.write(f"{line}\n")
            self._file.flush()


class Messages(logging.Handler):
    """Hands messages of logging on."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(Said(record.name, record.levelno, self.format(record)))


class Turns:
    """What comes on standard input behind the order."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._at_work = threading.Event()
        threading.Thread(target=self._listen, args=(lines,), name="turns", daemon=True).start()

    def __iter__(self) -> Iterator[Turn]:
        while line := self._lines.get():
            yield msgspec.json.decode(line, type=Turn)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """While entered, the end of the input interrupts."""
        self._at_work.set()
        try:
            yield
        finally:
            self._at_work.clear()

    def _listen(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._lines.put(line)
        self._lines.put("")
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
            if self._at_work.is_set():
                os.kill(os.getpid(), number)
                threading.Event().wait(PATIENCE)


def main(lines: TextIO) -> None:
    """Makes the runs of an order.

    Args:
        lines: the order, then its turns. Not Python's own standard input, which it may not be waiting for when it ends.
    """
    set_up_process()
    be_a_child()
    events = Events(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    order = msgspec.json.decode(lines.readline(), type=Order)
    sys.argv[1:] = order.argv
    logging.getLogger("mipha_eval").setLevel(order.level)
    logging.getLogger().addHandler(Messages(events.tell))
    logging.captureWarnings(capture=True)
    turns = Turns(lines)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # however it was begun, it is to hear that it is told to stop
    with named_interrupts(), progress_told_to(lambda line: events.tell(Progressed(line))):
        try:
            answer(order, turns, events.tell)
        except KeyboardInterrupt:
            events.tell(Ended(stopped=True))
        finally:
            end_children()


def answer(order: Order, turns: Turns, tell: Tell) -> None:
    """Makes a run a turn, all with the same model."""
    registry = Registry([Path(each) for each in order.shared.plugins])
    asked = AskedModel(order.model, order.options, registry, order.shared.workers, order.as_published)
    for turn in turns:
        with turns.at_work():
            try:
                with blaming(), suites_judge(order.shared.tasks, order.shared.judge):
                    settings = settings_of(order.shared, turn, asked)
                    run(replace(settings, begun=lambda path: tell(Begun(str(path)))))
                ended = Ended()
            except TasksFailedError as error:
                ended = Ended(failed=error.reasons)
                tell_bug(error.error)
            except UserError as error:
                ended = Ended(reason=str(error), flag=error.flag)
            except Exception as error:
                ended = Ended(reason=told(error))
                tell_bug(error)
        tell(ended)


def settings_of(shared: Shared, turn: Turn, asked: AskedModel) -> RunSettings:
    """What is to be run, as objects. Raises UserError."""
    model, typed = asked.chosen(Path(shared.output), shared.plugins)
    folders = {task: Path(folder) for task, folder in shared.image_dirs.items()}
    source = parse_source(shared.data, folders, Path(shared.annotations) if shared.annotations else None)
    return RunSettings(
        model,
        find_tasks(shared.tasks, shared.task_options, source, asked.registry),
        shared.task_options,
        Path(shared.output),
        shared.limit,
        shared.batch_size,
        chosen_control(turn.control),
        shared.fresh,
        not shared.progress,
        shared.check,
        shared.probabilities,
        grading=begin_grading(shared.judge, Path(shared.grades) if shared.grades else None, asked.registry),
        workers=shared.workers,
        plugins=shared.plugins,
        typed=typed,
    )


def tell_bug(error: Exception) -> None:
    """A mistake that is not the user's is told with all that is known of it."""
    if not isinstance(error, UserError):
        logger.error("%s", "".join(traceback.format_exception(error)).rstrip())
