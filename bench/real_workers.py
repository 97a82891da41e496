"""The bench's model on CPU: today's path, one worker, two workers, a thread each, as whole processes that take turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cost_model import Fit, Size, build_checkpoint
from bench.pope_set import make_set, write_llava
from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.runs.evaluate import evaluate

PLUGIN = Path(__file__).with_name("pope_task.py")
EACH = 6
#: workers of Ray; 0 for the path without it
WAYS = {"this process": 0, "one worker": 1, "two workers": 2}


@dataclass(frozen=True)
class Once:
    """A run: seconds as a whole process, seconds that its model took, and its answers by question."""

    wall: float
    model: float
    answers: dict[str, str]


def prepare(folder: Path, questions: int, size: Size, fit: Fit) -> None:
    """A checkpoint and a set, unless they are there."""
    build_checkpoint(folder / "checkpoint", None, size, fit)
    write_llava(make_set(questions, EACH), folder / f"set-{questions}")


def answer(folder: Path, questions: int, workers: int) -> None:
    """In this process: evaluates, and prints the model's seconds and the answers as JSON."""
    found = evaluate(
        "hf-chat",
        "bench-pope",
        data=folder / f"set-{questions}",
        output=folder / "runs",
        fresh=True,
        workers=WorkerSettings(workers, threads=1) if workers else None,
        plugins=[PLUGIN],
        options={"path": str(folder / "checkpoint"), "device": "cpu", "dtype": "float32"},
        progress=False,
    )
    result = found.results[0]
    answers = {name: response.text for name, response in result.answers.responses.items()}
    print(json.dumps({"model": result.summary.seconds, "answers": answers}))


def once(folder: Path, questions: int, workers: int) -> Once:
    command = [sys.executable, "-m", "bench.real_workers", str(folder), str(questions), str(workers)]
    started = time.perf_counter()
    told = subprocess.run(  # noqa: S603
        command, stdout=subprocess.PIPE, check=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    wall = time.perf_counter() - started
    found = json.loads(told.stdout.splitlines()[-1])
    return Once(wall, found["model"], found["answers"])


def table(folder: Path, questions: int, repeats: int) -> Iterator[str]:
    """Lines of Markdown as runs end, each repeat one run a way, so that a busy machine slows all of them."""
    yield "| repeat | | wall s | model s | load | answers that differ |"
    yield "|---|---|---|---|---|---|"
    runs: dict[str, list[Once]] = {name: [] for name in WAYS}
    for repeat in range(repeats):
        for name, workers in WAYS.items():
            load = os.getloadavg()[0]
            runs[name].append(once(folder, questions, workers))
            last, first = runs[name][-1], runs["this process"][0]
            differ = sum(last.answers[each] != text for each, text in first.answers.items())
            yield f"| {repeat + 1} | {name} | {last.wall:.1f} | {last.model:.1f} | {load:.1f} | {differ} |"
    yield ""
    yield from ratios(runs["one worker"], runs["two workers"], "one worker")
    yield from ratios(runs["this process"], runs["two workers"], "this process")


def ratios(one: Sequence[Once], two: Sequence[Once], name: str) -> Iterator[str]:
    """How many times as fast two workers are, by pairs of runs that followed each other."""
    for what in ("model", "wall"):
        each = [getattr(slow, what) / getattr(fast, what) for slow, fast in zip(one, two, strict=True)]
        shown = ", ".join(f"{ratio:.2f}" for ratio in each)
        yield f"two workers against {name}, {what} time: {shown}; median {statistics.median(each):.2f}"


if __name__ == "__main__":
    answer(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
