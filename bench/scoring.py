"""Seconds and memory of scoring and of writing uploads: ``python bench/scoring.py``.

The files are made up, of the benchmarks' sizes. Every command is a process of its own on one core, so that start-up counts.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

SPECIAL = ["yes", "no", "2", "a dog", "red, blue", "it's", "3.5", "don't", "t-shirt"]
WORDS = [f"word{number}" for number in range(5000)] + SPECIAL
VQA_VAL, VQA_TEST, VQA_TESTDEV, GQA = 214_354, 447_793, 107_394, 12_578


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_vqav2_val(folder: Path, questions: int) -> None:
    """Annotations with ten human answers each, as they often disagree, and a result file."""
    rng = random.Random(0)
    annotations, results = [], []
    for number in range(questions):
        truth = rng.choice(WORDS)
        humans = [truth if rng.random() < 0.6 else rng.choice(WORDS) for _ in range(10)]
        answers = [{"answer": word, "answer_id": place, "answer_confidence": "yes"} for place, word in enumerate(humans, 1)]
        key = {"question_id": number * 10, "image_id": number // 4}
        annotations.append({**key, "answer_type": rng.choice(["yes/no", "number", "other"]), "answers": answers})
        results.append({"question_id": number * 10, "answer": truth if rng.random() < 0.6 else rng.choice(WORDS)})
    write_json(folder / "annotations.json", {"data_subtype": "val2014", "annotations": annotations})
    write_json(folder / "results.json", results)


def write_gqa(folder: Path) -> None:
    rng = random.Random(1)
    questions = {
        str(number): {
            "imageId": str(number // 30),
            "question": "What is it?",
            "answer": rng.choice(WORDS),
            "isBalanced": True,
            "types": {"structural": rng.choice(["query", "verify"])},
        }
        for number in range(GQA)
    }
    write_json(folder / "questions.json", questions)
    write_json(folder / "results.json", [{"questionId": key, "prediction": rng.choice(WORDS)} for key in questions])


def write_testdev(folder: Path) -> None:
    """LLaVA's question files of test-dev and of all of test2015, and answers to test-dev."""
    rng = random.Random(2)
    lines = [{"question_id": number, "image": "x.jpg", "text": "What is it?"} for number in range(VQA_TEST)]
    answers = [{"question_id": line["question_id"], "prompt": line["text"], "text": rng.choice(WORDS)} for line in lines]
    (folder / "vqav2").mkdir(parents=True)
    for name, rows in (
        ("vqav2/llava_vqav2_mscoco_test2015.jsonl", lines),
        ("vqav2/llava_vqav2_mscoco_test-dev2015.jsonl", lines[:VQA_TESTDEV]),
        ("answers.jsonl", answers[:VQA_TESTDEV]),
    ):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def apart(write: Callable[..., None], *arguments: object) -> None:
    """In a process of its own: a child's peak memory begins with its parent's."""
    process = multiprocessing.get_context("spawn").Process(target=write, args=arguments)
    process.start()
    process.join()


def measure(name: str, arguments: Sequence[str | Path]) -> None:
    """Runs a command line of mipha-eval and prints seconds and the process's peak memory."""
    command = [sys.executable, "-m", "mipha_eval", *map(str, arguments)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    memory = usage.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    print(f"{name:<44} {seconds:6.2f} s  {memory:5.2f} GB  exit {process.returncode}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", type=float, default=1.0, help="share of VQAv2 val's questions")
    part = parser.parse_args().part
    files: list[str | Path]
    answers: list[str | Path]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for share in (part / 2, part):
            questions = round(VQA_VAL * share)
            apart(write_vqav2_val, folder / f"vqa{questions}", questions)
            files = ["--annotations", folder / f"vqa{questions}/annotations.json"]
            answers = ["--answers", folder / f"vqa{questions}/results.json", "--json"]
            measure(f"score vqav2, {questions:,} answers", ["score", "vqav2", *files, *answers])
        apart(write_gqa, folder / "gqa")
        files = ["--annotations", folder / "gqa/questions.json", "--answers", folder / "gqa/results.json"]
        measure(f"score gqa, {GQA:,} answers", ["score", "gqa", *files, "--json"])
        apart(write_testdev, folder / "test")
        files = ["--data", folder / "test", "--answers", folder / "test/answers.jsonl", "--output", folder / "upload.json"]
        measure(f"submit vqav2@testdev, {VQA_TEST:,} rows", ["submit", "vqav2@testdev", *files])


if __name__ == "__main__":
    main()
