"""Time and memory of a run without a model against the number of questions: ``python bench/scaling.py``.

What remains when the model costs nothing: reading questions, planning, storing, scoring, intervals. The data are made up in
POPE's form; every run is a process of its own through the command line, so that start-up counts.
"""

from __future__ import annotations

import argparse
import itertools
import json
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
SLACK = 1.25  # a run may cost so much more a question than the cheapest tenth of its size, and still counts as linear


@dataclass(frozen=True)
class Measured:
    """What a run took, in seconds and GB."""

    questions: int
    seconds: float
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
    command = [
        sys.executable,
        "-m",
        "mipha_eval",
        "run",
        "--tasks",
        "pope@official",
        "--model",
        "constant",
        "--data",
        str(folder),
    ]
    command += ["--output", str(folder / "runs"), "--json", "--limit", str(questions)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Measured(questions, seconds, usage.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6))


def is_linear(rows: list[Measured]) -> bool:
    """Whether ten times the questions never take much more than ten times the time, start-up left aside."""
    start_up = rows[0].seconds
    rates = [(row.seconds - start_up) / row.questions for row in rows if row.questions >= 10_000]
    return all(after <= SLACK * before for before, after in itertools.pairwise(rates))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=int, default=100_000, help="most questions, up to 1,000,000")
    most = parser.parse_args().to
    for per_image in QUESTIONS_PER_IMAGE:
        print(
            f"{per_image} questions an image\n{'questions':>11} {'seconds':>9} {'requests/s':>11} {'peak GB':>8}", flush=True
        )
        rows = []
        for questions in [count for count in COUNTS if count <= most]:
            with tempfile.TemporaryDirectory() as name:
                rows.append(measure(Path(name), questions, per_image))
            row = rows[-1]
            print(f"{questions:>11,} {row.seconds:>9.2f} {questions / row.seconds:>11,.0f} {row.memory:>8.2f}", flush=True)
        print(f"linear: {'yes' if is_linear(rows) else 'no'}\n", flush=True)


if __name__ == "__main__":
    main()
