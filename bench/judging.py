"""How long a thousand judgements take when each takes the server a tenth of a second: ``python -m bench.judging``."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.queues import Queue
from pathlib import Path

from tests.judge_server import Say, judge_server


def serve(wait: float, address: Queue[str]) -> None:
    """Answers in a process of its own, each time after `wait` seconds, until it is ended."""
    with judge_server(lambda _prompt, _before: Say("0.5", wait=wait)) as server:
        address.put(server.url)
        while True:
            time.sleep(1)


def write_questions(folder: Path, count: int) -> Path:
    """A MM-Vet of `count` questions; returns answers to them."""
    (folder / "mm-vet").mkdir()
    rows = {
        f"v1_{place}": {"imagename": "a.png", "question": f"Question {place}?", "answer": "yes", "capability": ["rec"]}
        for place in range(count)
    }
    (folder / "mm-vet/mm-vet.json").write_text(json.dumps(rows))
    answers = folder / "answers.json"
    answers.write_text(json.dumps({name: f"an answer to {name}" for name in rows}))
    return answers


def main() -> None:
    """Prints seconds of the whole command, start-up and scoring included, beside the least that any client could take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgements", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.1)
    parser.add_argument("--concurrency", type=int, default=32)
    given = parser.parse_args()
    address: Queue[str] = multiprocessing.get_context("spawn").Queue()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(given.latency, address), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as name:
        answers = write_questions(Path(name), given.judgements)
        command = [sys.executable, "-m", "mipha_eval", "score", "mmvet", "--answers", str(answers), "--data", name, "--json"]
        command += ["--judge", "bench", "--judge-base-url", address.get(), "--judge-concurrency", str(given.concurrency)]
        started = time.perf_counter()
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": "."}
        )
        seconds = time.perf_counter() - started
    server.terminate()
    judged = json.loads(done.stdout)["judge"]["replies"]
    least = -(-given.judgements // given.concurrency) * given.latency
    each = f"{given.latency * 1000:.0f} ms each, {given.concurrency} at a time"
    print(f"{judged:,} judgements, {each}: {seconds:.2f} s, least {least:.2f} s")


if __name__ == "__main__":
    main()
