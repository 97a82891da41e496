"""What is shown while something goes on: on a terminal, which another library plays, in lines, and in numbers."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import pty
import random
import re
import select
import signal
import struct
import sys
import termios
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mipha_eval import evaluate
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.stage import BYTES, Stage, stage, stages
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.engine.progress.display import View
from mipha_eval.engine.progress.lines import PlainLines
from mipha_eval.engine.progress.progress import Progress
from mipha_eval.engine.progress.rows import rows_of
from mipha_eval.engine.progress.screen import progress_told_to, shown_progress
from mipha_eval.engine.progress.wording import stage_line, time_text
from mipha_eval.runs.running_score import RunningScore, headline_of
from mipha_eval.scoring.result import score_responses
from tests.progress_lines import besides_progress

ROOT = Path(__file__).parents[1]
TASKS = ["pope", "mme", "gqa", "vqav2", "textvqa", "mmbench", "seed", "seed@ppl", "scienceqa", "vizwiz"]

NOISY = '''
import os, subprocess, time, warnings
from mipha_eval import ModelAdapter, Response

class Noisy(ModelAdapter):
    """Answers, while libraries and programs write wherever they like."""

    name = "noisy"
    turn = 0

    def generate(self, batch):
        turn = type(self).turn = type(self).turn + 1
        os.write(2, f"C library {turn}\\n".encode())
        os.write(1, f"to output {turn}\\n".encode())
        print(f"printed {turn}")
        warnings.warn(f"warned {turn}")
        subprocess.run(["sh", "-c", f"echo program {turn} >&2"], check=True)
        os.write(2, f"\\r10 % of {turn}\\rbar of {turn}\\n".encode())
        time.sleep(SECONDS)
        return [Response("Yes") for _ in batch]
'''
SAID = "C library", "to output", "printed", "program", "bar of"


class Terminal:
    """A program on a terminal of so many letters and lines, as an emulator that knows nothing of ours shows it."""

    def __init__(self, arguments: list[str], columns: int, lines: int) -> None:
        pyte = pytest.importorskip("pyte", reason="no terminal is played: pyte is not installed")
        self._columns = columns
        self.screen: Any = pyte.HistoryScreen(columns, lines, history=10_000)
        self._stream: Any = pyte.ByteStream(self.screen)
        self.process, self._file = pty.fork()
        if not self.process:  # the program's side
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.environ.update(TERM="xterm-256color", PYTHONPATH=str(ROOT), COLUMNS="", LINES="")
            del os.environ["COLUMNS"], os.environ["LINES"]
            os.execv(sys.executable, [sys.executable, "-m", "mipha_eval", *arguments])
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def views(self) -> Iterator[list[str]]:
        """The lines on the screen, whenever something was written and no more follows, until the program ends."""
        while True:
            try:
                said = os.read(self._file, 1 << 16)
            except OSError:
                return
            if not said:
                return
            self._stream.feed(said)
            if not select.select([self._file], [], [], 0.05)[0]:
                yield self.lines()

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def end(self) -> tuple[int, list[str]]:
        """The exit code, and all that stands on the terminal, what was scrolled away before the rest."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        os.close(self._file)
        gone = ["".join(line[place].data for place in range(self._columns)).rstrip() for line in self.screen.history.top]
        return code, [*filter(None, gone), *self.lines()]


@pytest.fixture
def noisy(tmp_path: Path) -> Callable[..., Terminal]:
    """A run of two tasks by a noisy model on a terminal."""

    def start(seconds: float, columns: int = 100, lines: int = 24, *further: str) -> Terminal:
        plugin = tmp_path / "noisy.py"
        plugin.write_text(NOISY.replace("SECONDS", str(seconds)), encoding="utf-8")
        asked = ["--tasks", "pope,mme", "--model", "noisy", "--data", "demo", "--limit", "40", "-b", "8", "-v"]
        return Terminal(["run", *asked, "--plugin", str(plugin), "-o", str(tmp_path / "runs"), *further], columns, lines)

    return start


def test_nothing_breaks_the_rows_and_nothing_is_lost(noisy: Callable[..., Terminal]) -> None:
    terminal = noisy(0.4)
    views = list(terminal.views())
    code, lines = terminal.end()
    assert code == 0, lines
    asked = [view for view in views if any(re.search(r"pope@demo +━+ +\d+/40", line) for line in view)]
    assert any("f1 " in line and " left" in line for view in asked for line in view)  # so far, with the time left
    rows = [Counter(line.split()[0] for line in view if "━━" in line) for view in views]
    assert max(count for view in rows for count in view.values()) == 1  # nothing is left of rows that were written anew
    assert {"pope@demo": 1, "mme@demo": 1, "all": 1} in rows
    turns = Counter(line for line in lines if line.startswith(SAID))
    whole = sum(line.startswith("printed") for line in turns)
    assert turns == {f"{word} {turn}": 1 for word in SAID for turn in range(1, whole + 1)}
    assert f"warned {whole}" in "".join(lines)  # behind a path, and so perhaps folded
    assert not [line for line in lines if "━━━ " in line or " left" in line]  # the rows are gone
    assert any(line.startswith("report: ") for line in lines[-3:])  # it may be folded
    assert not terminal.screen.cursor.hidden


def test_a_second_interrupt_reaches_the_terminal(noisy: Callable[..., Terminal]) -> None:
    terminal = noisy(0.3, 80, 24, "--check", "0")
    told = 0
    for view in terminal.views():
        if told == 0 and any("/40" in line for line in view):
            told = 1
            os.kill(terminal.process, signal.SIGINT)
        if told == 1 and any("finishing the batch" in line for line in view):
            told = 2
            os.kill(terminal.process, signal.SIGINT)
    code, lines = terminal.end()
    assert (code, told) == (3, 2)
    assert lines[-1] == "stopped; the same command goes on from what is stored"


@pytest.fixture(scope="module")
def progress() -> Progress:
    """Of a dozen tasks: some done, some asked, some to come."""
    found = Progress({f"benchmark-{number}@protocol": (100_000, 0) for number in range(12)})
    for number in range(5):
        found.advance(f"benchmark-{number}@protocol", 100_000 if number < 3 else 41_234)
        found.tell(f"benchmark-{number}@protocol", "accuracy 86.10", "84.90 to 87.20", scored=number < 3)
    return found


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_rows_fit(progress: Progress, width: int) -> None:
    lines = [line.plain for line in rows_of(progress, time.monotonic() + 100, width, 30)]
    assert len(lines) == 13
    assert max(map(len, lines)) <= width
    (asked,) = (line for line in lines if "benchmark-4@protocol" in line)
    assert "41,234/100,000" in asked
    assert asked.endswith(" left")
    told = [text in asked for text in ("accuracy 86.10", "/s", "84.90 to 87.20")]
    assert told == [width >= least for least in (80, 100, 120)]
    assert "382,468/1,200,000" in lines[-1]


def test_rows_give_way_where_lines_are_few(progress: Progress) -> None:
    lines = [line.plain for line in rows_of(progress, time.monotonic(), 120, 4)]
    assert [line.split()[0] for line in lines[:-1]] == [f"benchmark-{number}@protocol" for number in (3, 4, 5)]
    assert lines[-1].startswith("all, 9 not shown")


def test_plain_lines_are_about_what_came(progress: Progress) -> None:
    lines: list[str] = []
    plain, now = PlainLines(lines.append), time.monotonic() + 1000
    plain.show(View((), [progress], now))
    assert [line.split(",")[0].split()[0] for line in lines] == ["benchmark-3@protocol", "benchmark-4@protocol", "all"]
    assert re.fullmatch(r".* 41,234/100,000, accuracy 86\.10 \(84\.90 to 87\.20\), \d+\.\d/s, \d+:\d\d left", lines[0])
    plain.show(View((), [progress], now))
    assert len(lines) == 3  # nothing came
    plain.show(View([Stage("loading mipha-3b", began=now - 125), Stage("reading weights", 10, done=4)], [], now))
    assert lines[3] == "loading mipha-3b: reading weights, 40 % (2:05)"
    message = "finishing the batch; once more stops at once"
    lines[3:3] = ["  worker 2 cuda:0 node-7: 41.0/s, 25 % of all, waiting 3 %", message]
    assert besides_progress("".join(f"{line}\n" for line in lines)) == f"{message}\n"


def test_amounts_and_times() -> None:
    now = time.monotonic()
    assert stage_line([Stage("fetching a/b", 6.1e9, BYTES, 3.2e9, now)], now) == "fetching a/b, 3.2 of 6.1 GB (0:00)"
    told = stage_line([Stage("reading questions", 12, "tasks", 3, now), Stage("mme", began=now)], now)
    assert told == "reading questions: mme, 3 of 12 tasks (0:00)"
    assert [time_text(seconds) for seconds in (0.4, 59.6, 3599, 3600, 90061)] == [
        "0:00",
        "1:00",
        "59:59",
        "1:00:00",
        "25:01:01",
    ]


def test_no_progress_where_nobody_is_to_see_it() -> None:
    with shown_progress(quiet=True) as screen:
        assert screen is None
    logger = logging.getLogger("mipha_eval.engine.progress")
    logger.setLevel(logging.WARNING)
    try:
        with Progress({"pope": (2, 0)}) as progress:
            assert not progress.seen
    finally:
        logger.setLevel(logging.NOTSET)
    with progress_told_to(print), shown_progress() as screen, shown_progress() as same:
        assert screen is same is not None


def test_stages_end_however_they_are_left() -> None:
    def fail() -> None:
        with stage("outer"), stage("inner", 2):
            assert [each.doing for each in stages()] == ["outer", "inner"]
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not stages()


def demo(name: str) -> tuple[Task, list[Sample]]:
    task = build_task(name, {}, parse_source("demo", {}), Registry())
    return task, list(read_samples(task))


@pytest.mark.parametrize("name", TASKS)
def test_the_score_so_far_is_that_of_the_answers_so_far(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a result from whole groups alone, with failed answers; at the end, the result's own."""
    monkeypatch.setattr("mipha_eval.runs.running_score.PAUSE", 0.0)
    monkeypatch.setattr("mipha_eval.runs.running_score.TIMES", 0.0)
    monkeypatch.setattr("mipha_eval.runs.running_score.TURN", 1e9)
    task, samples = demo(name)
    samples = samples[:300]
    draw = random.Random(name)
    given = {sample.id: answer(sample.target, draw) for sample in samples}
    score, order, answered = RunningScore(task, samples), draw.sample(samples, len(samples)), dict[str, Response]()
    for first in range(0, len(order), 75):
        part = order[first : first + 75]
        score.add((sample, given[sample.id]) for sample in part)
        answered |= {sample.id: given[sample.id] for sample in part}
        lacking = {sample.group for sample in samples if sample.id not in answered and sample.group}
        whole = [sample for sample in samples if sample.id in answered and sample.group not in lacking]
        found = score_responses(task, whole, answered).summary
        assert score.headline() == headline_of(found)
        assert found.headline in score.headline().score or not whole


def answer(target: Any, draw: random.Random) -> Response:
    """Right, wrong, failed or unreadable."""
    said = draw.choice(["Yes", "No", "A", "B", "2", "red", "", str(target)])
    return (
        Response.failure("out of memory")
        if draw.random() < 0.1
        else Response(said, likelihoods=(-2.0, -1.0, -3.0, -4.0), option_tokens=(2, 2, 2, 2))
    )


def test_scoring_that_fails_or_dawdles_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    task, samples = demo("pope")
    samples = samples[:50]
    answers = [(sample, Response("Yes")) for sample in samples]
    calls = []

    def slowly(self: object, sample: Any, response: Response) -> Any:
        calls.append(sample)
        time.sleep(0.03)
        return original(task, sample, response)

    original = type(task).score
    monkeypatch.setattr(type(task), "score", slowly)
    score = RunningScore(task, samples)
    score.add(answers)
    assert score.headline().score.startswith("f1 ")
    read = len(calls)
    assert read < 10  # what there is time for
    assert score.headline().score.startswith("f1 ")
    assert len(calls) == read  # the next number is not due yet

    def fail(self: object, sample: Any, response: Response) -> Any:
        raise ValueError

    monkeypatch.setattr(type(task), "score", fail)
    score = RunningScore(task, samples)
    score.add(answers)
    assert score.headline().score == ""


def test_a_run_is_the_same_with_progress(tmp_path: Path) -> None:
    """Lines are told, with a score so far, and every stored file is that of a run without them."""
    lines: list[str] = []
    asked: dict[str, Any] = {"data": "demo", "limit": 60, "batch_size": 10}
    quiet = evaluate("constant", "pope,mmbench", output=tmp_path / "quiet", progress=False, **asked)
    with progress_told_to(lines.append):
        shown = evaluate("constant", "pope,mmbench", output=tmp_path / "shown", **asked)
    for name in ("pope@demo", "mmbench@demo"):
        one, other = (run.path / name for run in (quiet, shown))
        assert (one / "scores.jsonl").read_bytes() == (other / "scores.jsonl").read_bytes()


def test_other_libraries_bars_are_a_stage() -> None:
    from mipha_eval.models.stage_bar import bars_of, weights_read

    told = Stage("fetching", unit=BYTES)
    bars = bars_of(told)
    with bars(total=5, desc="files"), bars(total=100, unit="B", disable=True, mininterval=0) as counted:
        counted.update(40)
    assert (told.done, told.total) == (40, 100)

    from transformers.utils import logging as transformers_logging

    seen = []
    with weights_read():
        seen += [stages()[-1].done for _ in transformers_logging.tqdm(range(3), desc="Loading weights", mininterval=0)]
        assert stages()[-1].total == 3
    assert seen == [0, 1, 2]


def test_what_is_fetched_of_the_hub_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By huggingface_hub itself, from a server here."""
    from huggingface_hub import constants

    from mipha_eval.models.checkpoint_folder import locate_checkpoint

    size, seen = 3_000_000, list[Stage]()

    class Hub(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            body = b"{}" if self.path.endswith(".json") else bytes(size)
            if self.path.startswith("/api"):
                files = {"config.json": 2, "model.safetensors": size}
                told: Any = {"id": "a/b", "sha": "c" * 40, "siblings": [{"rfilename": name} for name in files]}
                if "/tree/" in self.path:
                    told = [{"type": "file", "path": name, "size": of, "oid": "0" * 40} for name, of in files.items()]
                body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Repo-Commit", "c" * 40)
            self.send_header("ETag", f'"{len(body)}"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)
                seen.extend(each for each in stages() if each.unit == BYTES)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    try:
        found = locate_checkpoint("a/b")
    finally:
        server.shutdown()
        server.server_close()
    assert (found / "model.safetensors").stat().st_size == size
    assert seen[-1].doing == "fetching a/b"
    assert seen[-1].done == seen[-1].total >= size


def on_terminal(code: str, *, stdout: str = "") -> str:
    """What a program says on a terminal."""
    process, file = pty.fork()
    if not process:
        if stdout:
            os.dup2(os.open(stdout, os.O_WRONLY), 1)
        os.environ.update(TERM="xterm", PYTHONPATH=str(ROOT))
        os.execv(sys.executable, [sys.executable, "-c", code])
    said = b""
    while True:
        try:
            part = os.read(file, 1 << 16)
        except OSError:
            break
        said += part
        if b"[y/N]" in part:
            os.write(file, b"y\n")
    os.waitpid(process, 0)
    os.close(file)
    return said.decode()


BEGIN = (
    "import sys, time\nfrom mipha_eval.core.stage import stage\n"
    "from mipha_eval.engine.progress.screen import shown_progress\n"
)


def test_who_asks_is_seen() -> None:
    said = on_terminal(f"{BEGIN}with shown_progress(), stage('x'):\n    print(input('Go on? [y/N] '))")
    assert "Go on? [y/N]" in said


def test_the_terminal_is_given_back_whatever_happens_to_output() -> None:
    code = f"{BEGIN}with shown_progress(), stage('x'):\n    print('lost')\nprint('the last word', file=sys.stderr)"
    said = on_terminal(code, stdout="/dev/full")
    assert "the last word" in said or "No space left" in said  # where output is not buffered, the error


def test_threads_share_a_terminal() -> None:
    work = "def work(n):\n    with shown_progress(), stage(str(n)):\n        time.sleep(0.2 * n)\n"
    begin = "import threading\nall = [threading.Thread(target=work, args=(n,)) for n in range(4)]\n"
    code = f"{BEGIN}{work}{begin}[each.start() for each in all]\n[each.join() for each in all]\nprint('the last word')"
    assert "the last word" in on_terminal(code)
