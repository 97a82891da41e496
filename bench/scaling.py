"""Time and memory of a run without a model against the number of questions: ``python bench/scaling.py``.

What remains when the model costs nothing: reading questions, planning, storing, scoring, intervals. The data are made up in
POPE's form; every run is a process of its own through the command line, so that start-up counts.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

COUNTS = (100, 1_000, 10_000, 100_000, 1_000_000)
QUESTIONS_PER_IMAGE = (1, 4, 18)
RANDOM, SMALLEST = 3_000, 9_000  # POPE's files have so many rows; fewer questions are drawn from these with --limit
JUDGED = 10_000  # below, start-up is most of the time
LINEAR = 1.2  # a power up to this counts as linear; start-up's ups and downs and full caches make some of it


@dataclass(frozen=True)
class Measured:
    """What a run took: seconds on the clock, seconds of processors, GB at the peak."""

    questions: int
    seconds: float
    processor: float
    memory: float


def write_questions(folder: Path, questions: int, per_image: int) -> None:
    """POPE's label files with made-up questions, `per_image` about each image of a file."""
    rng = random.Random(0)
    folder.mkdir(parents=True, exist_ok=True)
    rest = questions - RANDOM
    for name, count in (("random", RANDOM), ("popular", rest // 2), ("adversarial", rest - rest // 2)):
        with (folder / f"coco_pope_{name}.json").open("w") as file:
            for number in range(count):
                row = {
                    "question_id": number + 1,
                    "image": f"COCO_val2014_{number // per_image:012}.jpg",
                    "text": f"Is there an object number {number} in the image?",
                    "label": rng.choice(["yes", "no"]),
                }
                file.write(json.dumps(row) + "\n")


def measure(folder: Path, questions: int, per_image: int) -> Measured:
    """Runs the constant model over made-up questions, in a process of its own."""
    # the writer is a process, too: a child's peak memory begins with its parent's
    made = (folder / "pope/coco", max(questions, SMALLEST), per_image)
    writer = multiprocessing.get_context("spawn").Process(target=write_questions, args=made)
    writer.start()
    writer.join()
    run = ["run", "--tasks", "pope@official", "--model", "constant", "--limit", questions, "--json"]
    command = [sys.executable, "-m", "mipha_eval", *map(str, [*run, "--data", folder, "--output", folder / "runs"])]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    processor, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    return Measured(questions, seconds, processor, memory)


def verdict(rows: list[Measured]) -> str:
    """The power of the number of questions that processor time grows with, start-up left aside."""
    start_up, judged = rows[0].processor, [row for row in rows if row.questions >= JUDGED]
    if len(judged) < 2:
        return f"too few questions to tell how time grows; it takes --to {10 * JUDGED}"
    fewer, more = judged[-2:]
    times = (more.processor - start_up) / (fewer.processor - start_up)
    power = math.log(times) / math.log(more.questions / fewer.questions)
    return f"processor time grows with questions^{power:.2f}, {'' if power <= LINEAR else 'NOT '}linear"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=int, default=100_000, help="most questions, up to 1,000,000")
    most = parser.parse_args().to
    for per_image in QUESTIONS_PER_IMAGE:
        print(f"{per_image} questions an image")
        print(f"{'questions':>11} {'seconds':>9} {'processor':>10} {'requests/s':>11} {'peak GB':>8}", flush=True)
        rows = []
        for questions in [count for count in COUNTS if count <= most]:
            with tempfile.TemporaryDirectory() as name:
                rows.append(measure(Path(name), questions, per_image))
            row = rows[-1]
            rate = f"{questions / row.seconds:>11,.0f}"
            print(f"{questions:>11,} {row.seconds:>9.2f} {row.processor:>10.2f} {rate} {row.memory:>8.2f}", flush=True)
        print(verdict(rows), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
